//! English numbers in digits, as words.

use crate::normalise::numbers::ONES;

/// The word of a number below 20.
fn unit(n: u64) -> &'static str {
    if n == 0 { "zero" } else { ONES[n as usize - 1] }
}

const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 4] =
    [(1_000_000_000_000, "trillion"), (1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand")];

/// The words of a number: whole numbers up to 15 digits as cardinals (commas between digits are skipped), longer ones and
/// those with a leading zero digit by digit, what follows a `.` digit by digit. Years are read as cardinals. With
/// `ordinal` the last word is made an ordinal.
pub(super) fn words(digits: &str, ordinal: bool) -> Vec<String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let mut out: Vec<String> = match whole.parse::<u64>() {
        Ok(n) if whole.len() <= 15 && (whole.len() == 1 || !whole.starts_with('0')) => cardinal(n),
        _ => one_by_one(&whole),
    };
    if fraction.bytes().any(|b| b.is_ascii_digit()) {
        out.push("point".to_owned());
        out.extend(one_by_one(fraction));
    }
    if ordinal && let Some(last) = out.last_mut() {
        *last = self::ordinal(last);
    }
    out
}

fn one_by_one(digits: &str) -> Vec<String> {
    digits.bytes().filter(u8::is_ascii_digit).map(|b| unit(u64::from(b - b'0')).to_owned()).collect()
}

fn cardinal(n: u64) -> Vec<String> {
    let word = |w: &str| vec![w.to_owned()];
    let then = |mut head: Vec<String>, rest: u64| {
        if rest > 0 {
            head.extend(cardinal(rest));
        }
        head
    };
    if let Some(&(size, name)) = SCALES.iter().find(|(size, _)| n >= *size) {
        let mut head = cardinal(n / size);
        head.push(name.to_owned());
        return then(head, n % size);
    }
    match n {
        0..20 => word(unit(n)),
        20..100 => then(word(TENS[n as usize / 10]), n % 10),
        _ => {
            let mut head = cardinal(n / 100);
            head.push("hundred".to_owned());
            then(head, n % 100)
        }
    }
}

fn ordinal(word: &str) -> String {
    match word {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        other => other.strip_suffix('y').map_or_else(|| format!("{other}th"), |stem| format!("{stem}ieth")),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn numbers_are_read_out() {
        for (digits, ordinal, expected) in [
            ("0", false, "zero"),
            ("42", false, "forty two"),
            ("105", false, "one hundred five"),
            ("1,000", false, "one thousand"),
            ("1984", false, "one thousand nine hundred eighty four"),
            ("2000000", false, "two million"),
            ("3.05", false, "three point zero five"),
            ("007", false, "zero zero seven"),
            (
                "1234567890123456",
                false,
                "one two three four five six seven eight nine zero one two three four five six",
            ),
            ("1", true, "first"),
            ("22", true, "twenty second"),
            ("90", true, "ninetieth"),
            ("14", true, "fourteenth"),
            ("12", true, "twelfth"),
            ("", false, ""),
        ] {
            assert_eq!(words(digits, ordinal).join(" "), expected, "{digits}");
        }
    }
}
