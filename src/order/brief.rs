//! How an event stays small enough for any broker: what is too long for it is said elsewhere.

use super::event::{EventError, EventType, ResultData, ResultEvent};
use crate::error::Violations;

/// Bytes of an event at most.
pub const MAX_EVENT_BYTES: usize = 64 << 10;
/// Bytes before a worker adds the addresses and the trace of its attempt.
const UNDRESSED_BYTES: usize = 44 << 10;
/// Bytes of an event's errors, which stand beside the order's names and metadata.
const ERRORS_BYTES: usize = 32 << 10;
/// Entries of one list that an event holds itself.
pub const INLINE: usize = 50;

/// Bytes of an error's sentence, and of its place: both may repeat what an order's author made long.
const SENTENCE: usize = 1000;

/// The name of the object that holds everything, beside the files.
pub const REPORT: &str = "preflight.json";

impl ResultData {
    /// Cuts every list so that the event stays small. Gives everything, as it was, when something
    /// had to go.
    pub fn abridge(&mut self) -> Option<ResultData> {
        let whole = self.clone();
        let mut most = INLINE;
        let mut cut = self.keep_first(most);
        while most > 1 && size(self) > UNDRESSED_BYTES {
            most = most * 3 / 4;
            cut |= self.keep_first(most);
        }
        cut.then_some(whole)
    }

    /// Keeps so many entries of each list; `true` when there were more.
    fn keep_first(&mut self, most: usize) -> bool {
        let mut cut = false;
        if let Some(preflight) = &mut self.preflight {
            // The worst first, so that what decides the verdict is never what was cut.
            if preflight.findings.len() > most {
                preflight.findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
            }
            cut |= shorten(&mut preflight.findings, most);
        }
        cut |= shorten(&mut self.assets, most);
        cut |= shorten(&mut self.errors, most);
        cut |= shorten(&mut self.artifacts, most);
        for artifact in &mut self.artifacts {
            cut |= shorten(&mut artifact.boxes, most);
            cut |= shorten(&mut artifact.surfaces, most);
        }
        cut
    }
}

/// The errors of an event without files, as many as it holds and each as long as it may be. What would
/// have been accepted is cut first, then their number: the first ones stand in any case.
pub fn errors(violations: &Violations) -> Vec<EventError> {
    let mut errors: Vec<_> = violations.0.iter().take(INLINE).map(EventError::from).collect();
    for error in &mut errors {
        cut(&mut error.detail);
        // A place that is cut off is none: the one around it is.
        while error.pointer.as_ref().is_some_and(|pointer| pointer.len() > SENTENCE) {
            let around = |pointer: String| pointer.rsplit_once('/').map(|(around, _)| around.to_owned());
            error.pointer = error.pointer.take().and_then(around);
        }
    }
    let mut most = INLINE;
    loop {
        for error in &mut errors {
            error.allowed.truncate(most);
        }
        if size(&errors) <= ERRORS_BYTES {
            return errors;
        }
        match most {
            0 => {
                errors.truncate(errors.len() * 3 / 4);
            }
            _ => most = most * 3 / 4,
        }
    }
}

/// Cuts a sentence at the end of a character.
fn cut(sentence: &mut String) {
    if sentence.len() > SENTENCE {
        sentence.truncate(sentence.floor_char_boundary(SENTENCE));
        sentence.push('…');
    }
}

fn shorten<T>(list: &mut Vec<T>, most: usize) -> bool {
    let cut = list.len() > most;
    list.truncate(most);
    cut
}

fn size<T: serde::Serialize>(data: &T) -> usize {
    // What cannot be written has no size; writing it fails where it is written.
    serde_json::to_vec(data).map_or(0, |bytes| bytes.len())
}

impl ResultEvent {
    /// The event's bytes: for people while they fit, without indentation otherwise.
    ///
    /// # Errors
    /// Where a value has no JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        if bytes.len() >= MAX_EVENT_BYTES {
            bytes = serde_json::to_vec(self)?;
        }
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Whether files were made.
    pub fn has_files(&self) -> bool {
        matches!(self.kind, EventType::Completed | EventType::Held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::event::{Artifact, AssetUsed, Boxes, Finding, Preflight, Verdict, event_id};

    fn finding(i: usize, verdict: Verdict) -> Finding {
        Finding {
            code: "image.low_resolution".into(),
            verdict,
            surface: format!("page-{i}"),
            page: Some(1),
            layer: Some("photo".into()),
            place: Some([1.5, 2.5, 100.25, 50.125]),
            detail: "the picture is printed with 120 pixels per inch, and the profile wants 200".into(),
            waived: false,
        }
    }

    fn artifact(pages: usize) -> Artifact {
        let boxes = |i| Boxes {
            surface: format!("page-{i}"),
            trim: [0.0, 0.0, 210.0, 297.0],
            bleed: [-3.0, -3.0, 216.0, 303.0],
            media: [-3.0, -3.0, 216.0, 303.0],
        };
        Artifact {
            role: "print".into(),
            surfaces: (0..pages).map(|i| format!("page-{i}")).collect(),
            output: "pdf".into(),
            uri: format!("s3://{}/{}", "b".repeat(60), "k".repeat(120)),
            url: None,
            bytes: 1,
            sha256: "0".repeat(64),
            md5: "0".repeat(32),
            media_type: "application/pdf".into(),
            pixels: None,
            dpi: None,
            pages: Some(pages as u32),
            boxes: (0..pages).map(boxes).collect(),
            color_space: "cmyk".into(),
            plates: Vec::new(),
        }
    }

    fn event(data: ResultData) -> ResultEvent {
        ResultEvent::new(EventType::Held, event_id("a", 1), data)
    }

    #[test]
    fn a_small_event_holds_everything() {
        let mut data = ResultData { artifacts: vec![artifact(2)], ..ResultData::default() };
        let before = data.clone();
        assert_eq!(data.abridge(), None);
        assert_eq!(data, before);
        assert!(event(data).to_bytes().unwrap().ends_with(b"}\n"));
    }

    #[test]
    fn a_large_event_holds_the_worst_and_says_the_rest_elsewhere() {
        let mut findings: Vec<Finding> = (0..80).map(|i| finding(i, Verdict::Warn)).collect();
        findings.push(finding(99, Verdict::Hold));
        let used = AssetUsed { asset: "uploads/a.jpg".into(), sha256: "0".repeat(64), bytes: 1 };
        let mut data = ResultData {
            artifacts: (0..300).map(|_| artifact(300)).collect(),
            assets: vec![used; 300],
            preflight: Some(Preflight { verdict: Verdict::Hold, findings }),
            ..ResultData::default()
        };
        let whole = data.clone();
        assert_eq!(data.abridge(), Some(whole));
        let findings = &data.preflight.as_ref().unwrap().findings;
        assert_eq!(findings[0].verdict, Verdict::Hold);
        assert!(findings.len() <= INLINE && !data.artifacts.is_empty());
        for artifact in &mut data.artifacts {
            artifact.url = Some("u".repeat(250));
        }
        let bytes = event(data).to_bytes().unwrap();
        assert!(bytes.len() <= MAX_EVENT_BYTES, "{} bytes", bytes.len());
    }

    #[test]
    fn only_findings_are_many() {
        let findings = (0..51).map(|i| finding(i, Verdict::Warn)).collect();
        let mut data = ResultData {
            preflight: Some(Preflight { verdict: Verdict::Warn, findings }),
            ..ResultData::default()
        };
        assert!(data.abridge().is_some());
        assert_eq!(data.preflight.unwrap().findings.len(), INLINE);
    }
}
