//! Days: parsing, bounds and the way a template prints them. Proleptic Gregorian, no clock.

use super::value::FieldValue;
use crate::catalog::Field;
use crate::error::{Code, Violation, Violations};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Reads `YYYY-MM-DD` within the field's bounds.
pub(super) fn read(field: &Field, text: &str, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    let Some((year, month, day)) = parse(text) else {
        out.push(
            Violation::new(Code::OptionInvalid, "this has to be a day that exists, written YYYY-MM-DD")
                .at(pointer),
        );
        return None;
    };
    // ISO dates of one length sort as text.
    if let Some(first) = field.earliest.as_deref().filter(|first| text < *first) {
        out.push(
            Violation::new(Code::OptionInvalid, format!("the first day allowed is {first}"))
                .at(pointer)
                .limit(first),
        );
        return None;
    }
    if let Some(last) = field.latest.as_deref().filter(|last| text > *last) {
        out.push(
            Violation::new(Code::OptionInvalid, format!("the last day allowed is {last}"))
                .at(pointer)
                .limit(last),
        );
        return None;
    }
    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    let printed = field
        .format
        .as_deref()
        .unwrap_or("{day} {month_name} {year}")
        .replace("{day2}", &format!("{day:02}"))
        .replace("{day}", &day.to_string())
        .replace("{month2}", &format!("{month:02}"))
        .replace("{month_name}", name)
        .replace("{month}", &month.to_string())
        .replace("{year}", &year.to_string());
    Some(FieldValue::Date { iso: text.to_owned(), printed })
}

/// Year, month and day of a date that exists.
pub(super) fn parse(text: &str) -> Option<(u32, u32, u32)> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return None;
    }
    let (year, month, day) = (text[0..4].parse().ok()?, text[5..7].parse().ok()?, text[8..10].parse().ok()?);
    let leap = |y: u32| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_days_that_exist() {
        assert_eq!(parse("2024-02-29"), Some((2024, 2, 29)));
        for no in
            ["2023-02-29", "2024-13-01", "2024-00-10", "24-1-1", "2024-04-31", "2024/04/30", "二〇二四-01"]
        {
            assert_eq!(parse(no), None, "{no}");
        }
    }
}
