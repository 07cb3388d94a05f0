//! Names for the scripts of characters that no font has, so that a report needs no customer text.

use regex::Regex;

/// Unicode property and how people call it; asked in this order.
const SCRIPTS: &[(&str, &str)] = &[
    ("Extended_Pictographic", "emoji"),
    ("Script=Latin", "Latin"),
    ("Script=Greek", "Greek"),
    ("Script=Cyrillic", "Cyrillic"),
    ("Script=Armenian", "Armenian"),
    ("Script=Georgian", "Georgian"),
    ("Script=Hebrew", "Hebrew"),
    ("Script=Arabic", "Arabic"),
    ("Script=Syriac", "Syriac"),
    ("Script=Ethiopic", "Ethiopic"),
    ("Script=Devanagari", "Devanagari"),
    ("Script=Bengali", "Bengali"),
    ("Script=Gurmukhi", "Gurmukhi"),
    ("Script=Gujarati", "Gujarati"),
    ("Script=Oriya", "Odia"),
    ("Script=Tamil", "Tamil"),
    ("Script=Telugu", "Telugu"),
    ("Script=Kannada", "Kannada"),
    ("Script=Malayalam", "Malayalam"),
    ("Script=Sinhala", "Sinhala"),
    ("Script=Thai", "Thai"),
    ("Script=Lao", "Lao"),
    ("Script=Khmer", "Khmer"),
    ("Script=Myanmar", "Burmese"),
    ("Script=Tibetan", "Tibetan"),
    ("Script=Mongolian", "Mongolian"),
    ("Script=Han", "Chinese characters"),
    ("Script=Hiragana", "Japanese"),
    ("Script=Katakana", "Japanese"),
    ("Script=Hangul", "Korean"),
    ("Script=Cherokee", "Cherokee"),
    ("Script=Canadian_Aboriginal", "Canadian syllabics"),
    ("Co", "private use"),
    ("S", "symbols"),
    ("P", "punctuation"),
    ("M", "marks"),
];

/// The scripts of the characters, each once, in the order of the list above.
pub(super) fn scripts(characters: &str) -> Vec<&'static str> {
    let mut rest = characters.to_owned();
    let mut out = Vec::new();
    for (property, name) in SCRIPTS {
        let Ok(pattern) = Regex::new(&format!(r"\p{{{property}}}")) else { continue };
        if pattern.is_match(&rest) {
            rest = pattern.replace_all(&rest, "").into_owned();
            if !out.contains(name) {
                out.push(*name);
            }
        }
    }
    if !rest.is_empty() {
        out.push("other scripts");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_names_are_given_once() {
        for (property, _) in SCRIPTS {
            assert!(Regex::new(&format!(r"\p{{{property}}}")).is_ok(), "{property}");
        }
        assert_eq!(scripts("あア漢"), ["Chinese characters", "Japanese"]);
        assert_eq!(scripts("🦄ш𓀀"), ["emoji", "Cyrillic", "other scripts"]);
    }
}
