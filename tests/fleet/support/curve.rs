//! A worker's resident memory over time: samples, their medians by the minute, the growth of these,
//! and a drawing.
use std::fmt::Write;

/// What was seen of a process at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    /// Resident memory, and the part of it that is no file's.
    pub(crate) resident: u64,
    pub(crate) anonymous: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
    /// Runs that were decided until then.
    pub(crate) finished: usize,
}

/// Looks at a process; `None` once it is gone.
pub(crate) fn look(pid: u32, seconds: f64, finished: usize) -> Option<Sample> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
    Some(Sample {
        seconds,
        resident: field("VmRSS:")? * 1024,
        anonymous: field("RssAnon:")? * 1024,
        threads: field("Threads:")?,
        files,
        finished,
    })
}

pub(crate) fn csv(samples: &[Sample]) -> String {
    let mut text = "seconds,resident_bytes,anonymous_bytes,threads,open_files,runs_decided\n".to_owned();
    for s in samples {
        writeln!(
            text,
            "{:.1},{},{},{},{},{}",
            s.seconds, s.resident, s.anonymous, s.threads, s.files, s.finished
        )
        .unwrap();
    }
    text
}

/// Resident memory of one stretch of time: its middle second, and the least, the median and the most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) seconds: f64,
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

/// Cuts the samples into so many stretches of the same length. A job's own memory comes and goes
/// within seconds; what stays is seen in the medians.
pub(crate) fn stretches(samples: &[Sample], count: usize) -> Vec<Stretch> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    let length = (last.seconds - first.seconds) / count as f64;
    let mut parts: Vec<Vec<f64>> = vec![Vec::new(); count];
    for sample in samples {
        let index = ((sample.seconds - first.seconds) / length) as usize;
        parts[index.min(count - 1)].push(sample.resident as f64);
    }
    let stretch = |(index, mut bytes): (usize, Vec<f64>)| {
        bytes.sort_by(f64::total_cmp);
        let (least, most) = (*bytes.first()?, *bytes.last()?);
        let seconds = first.seconds + (index as f64 + 0.5) * length;
        Some(Stretch { seconds, least, median: bytes[bytes.len() / 2], most })
    };
    parts.into_iter().enumerate().filter_map(stretch).collect()
}

/// The last three quarters: what came before is warming up.
pub(crate) fn settled(stretches: &[Stretch]) -> &[Stretch] {
    &stretches[stretches.len() / 4..]
}

/// By how much of their mean the medians grow from the first to the last, along the straight line that
/// fits them best (least squares).
pub(crate) fn growth(stretches: &[Stretch]) -> f64 {
    let n = stretches.len() as f64;
    let mean = |value: &dyn Fn(&Stretch) -> f64| stretches.iter().map(value).sum::<f64>() / n;
    let (t, y) = (mean(&|s| s.seconds), mean(&|s| s.median));
    let covariance = mean(&|s| (s.seconds - t) * (s.median - y));
    let variance = mean(&|s| (s.seconds - t) * (s.seconds - t));
    let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else { return 0.0 };
    if variance == 0.0 { 0.0 } else { covariance / variance * (last.seconds - first.seconds) / y }
}

/// The medians as a line, the least and the most as a band around it, the budget as a line.
pub(crate) fn svg(stretches: &[Stretch], budget: u64, title: &str) -> String {
    const W: f64 = 880.0;
    const H: f64 = 300.0;
    const LEFT: f64 = 70.0;
    const TOP: f64 = 44.0;
    let top = (budget as f64 * 1.08).max(stretches.iter().map(|s| s.most).fold(0.0, f64::max));
    let until = stretches.last().map_or(1.0, |s| s.seconds.max(1.0));
    let x = |seconds: f64| LEFT + seconds / until * W;
    let y = |bytes: f64| TOP + H - bytes / top * H;
    let points = |of: &dyn Fn(&Stretch) -> f64, backwards: bool| {
        let mut points: Vec<String> =
            stretches.iter().map(|s| format!("{:.1},{:.1}", x(s.seconds), y(of(s)))).collect();
        if backwards {
            points.reverse();
        }
        points.join(" ")
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n",
        LEFT + W + 30.0,
        TOP + H + 50.0
    );
    for step in 0..=4 {
        let bytes = budget as f64 * f64::from(step) / 4.0;
        let (line, label) = (y(bytes), bytes / f64::from(1 << 20));
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{line:.1}\" y2=\"{line:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label:.0} MiB</text>",
            LEFT + W,
            LEFT - 6.0,
            line + 4.0
        )
        .unwrap();
    }
    for step in 0..=6 {
        let seconds = until * f64::from(step) / 6.0;
        let (at, under, minutes) = (x(seconds), TOP + H + 20.0, seconds / 60.0);
        writeln!(svg, "<text x=\"{at:.1}\" y=\"{under}\" text-anchor=\"middle\">{minutes:.0} min</text>")
            .unwrap();
    }
    let band = format!("{} {}", points(&|s| s.most, false), points(&|s| s.least, true));
    let settled = x(settled(stretches).first().map_or(0.0, |s| s.seconds));
    writeln!(
        svg,
        "<polygon points=\"{band}\" fill=\"#9ec5e8\" opacity=\"0.6\"/>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#1f5f99\" stroke-width=\"2\"/>\n\
         <line x1=\"{LEFT}\" x2=\"{}\" y1=\"{budget:.1}\" y2=\"{budget:.1}\" stroke=\"#b03030\" stroke-dasharray=\"6 4\"/>\n\
         <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#b03030\">memory budget</text>\n\
         <line x1=\"{settled:.1}\" x2=\"{settled:.1}\" y1=\"{TOP}\" y2=\"{}\" stroke=\"#888\" stroke-dasharray=\"2 4\"/>\n\
         <text x=\"{LEFT}\" y=\"{}\" fill=\"#555\">line: median, band: least and most of each stretch; \
         growth is measured right of the dotted line</text>\n</svg>",
        points(&|s| s.median, false),
        LEFT + W,
        LEFT + W,
        y(budget as f64) - 6.0,
        TOP + H,
        TOP + H + 40.0,
        budget = y(budget as f64),
    )
    .unwrap();
    svg
}
