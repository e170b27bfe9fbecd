//! Number words to digits, the way Whisper's EnglishNumberNormalizer reads them.
//!
//! A reader goes over the words with one pending number. A pending number is either a quantity, which arithmetic
//! applies to ("two hundred" + "six"), or a string of digits, which further digits are appended to ("one oh one").
//! Quantities are decimal strings: "nine decillion decillion" is a valid input and must not overflow.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::scan::{Edit, Runs, apply, digit_value, is_digit, is_space, is_word, split_words};
use crate::tokens::FoldHasher;

/// What a word means to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Zero,
    /// One to nineteen.
    Ones(u32),
    OnesSuffixed(u32, &'static str),
    /// Twenty to ninety.
    Tens(u32),
    TensSuffixed(u32, &'static str),
    /// Ten to this power.
    Power(usize),
    PowerSuffixed(usize, &'static str),
    /// "minus", "plus": a sign if a number follows.
    Sign(char),
    /// "dollars": a sign put before the number it follows.
    Currency(char),
    Per,
    Percent,
    And,
    /// "double", "triple": how often the next digit is written.
    Repeat(usize),
    Point,
}

type Lexicon = HashMap<String, Word, BuildHasherDefault<FoldHasher>>;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(lexicon);

const ONES: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twent", "thirt", "fort", "fift", "sixt", "sevent", "eight", "ninet"];
const POWERS: [(&str, usize); 12] = [
    ("hundred", 2),
    ("thousand", 3),
    ("million", 6),
    ("billion", 9),
    ("trillion", 12),
    ("quadrillion", 15),
    ("quintillion", 18),
    ("sextillion", 21),
    ("septillion", 24),
    ("octillion", 27),
    ("nonillion", 30),
    ("decillion", 33),
];

/// The peer forms ordinals by rule: "nineth" is one and "ninth" is not.
fn lexicon() -> Lexicon {
    let mut words = Lexicon::default();
    let mut add = |name: String, word: Word| {
        words.insert(name, word);
    };
    for name in ["o", "oh", "zero"] {
        add(name.to_owned(), Word::Zero);
    }
    for (name, value) in ONES.iter().zip(1..) {
        add((*name).to_owned(), Word::Ones(value));
        add(if value == 6 { "sixes".to_owned() } else { format!("{name}s") }, Word::OnesSuffixed(value, "s"));
        if value > 3 && value != 5 && value != 12 {
            let ending = if name.ends_with('t') { "h" } else { "th" };
            add(format!("{name}{ending}"), Word::OnesSuffixed(value, "th"));
        }
    }
    let irregular =
        [("zeroth", 0, "th"), ("first", 1, "st"), ("second", 2, "nd"), ("third", 3, "rd"), ("fifth", 5, "th")];
    for (name, value, suffix) in irregular.into_iter().chain([("twelfth", 12, "th")]) {
        add(name.to_owned(), Word::OnesSuffixed(value, suffix));
    }
    for (stem, value) in TENS.iter().zip((20..).step_by(10)) {
        add(format!("{stem}y"), Word::Tens(value));
        add(format!("{stem}ies"), Word::TensSuffixed(value, "s"));
        add(format!("{stem}ieth"), Word::TensSuffixed(value, "th"));
    }
    for (name, zeros) in POWERS {
        add(name.to_owned(), Word::Power(zeros));
        add(format!("{name}s"), Word::PowerSuffixed(zeros, "s"));
        add(format!("{name}th"), Word::PowerSuffixed(zeros, "th"));
    }
    let fixed = [
        ("minus", Word::Sign('-')),
        ("negative", Word::Sign('-')),
        ("plus", Word::Sign('+')),
        ("positive", Word::Sign('+')),
        ("pound", Word::Currency('£')),
        ("pounds", Word::Currency('£')),
        ("euro", Word::Currency('€')),
        ("euros", Word::Currency('€')),
        ("dollar", Word::Currency('$')),
        ("dollars", Word::Currency('$')),
        ("cent", Word::Currency('¢')),
        ("cents", Word::Currency('¢')),
        ("per", Word::Per),
        ("percent", Word::Percent),
        ("and", Word::And),
        ("double", Word::Repeat(2)),
        ("triple", Word::Repeat(3)),
        ("point", Word::Point),
    ];
    for (name, word) in fixed {
        add(name.to_owned(), word);
    }
    words
}

fn look_up(word: &str) -> Option<Word> {
    // No entry is longer than "quadrillionth".
    if word.len() > 13 || !word.as_bytes().first()?.is_ascii_lowercase() {
        return None;
    }
    LEXICON.get(word).copied()
}

/// A word as the reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Digits, perhaps with a decimal part: `12`, `3.50`.
    Number,
    /// The same after a currency sign.
    Prefixed(char),
    Known(Word),
    Other,
}

impl Token {
    fn of(word: &str) -> Self {
        let Some(first) = word.chars().next() else {
            return Self::Other;
        };
        if first.is_ascii_lowercase() {
            return look_up(word).map_or(Self::Other, Self::Known);
        }
        if matches!(first, '$' | '€' | '£' | '¢') && is_number(&word[first.len_utf8()..]) {
            return Self::Prefixed(first);
        }
        if is_number(word) { Self::Number } else { Self::Other }
    }

    /// Whether "minus" and the like may be followed by it.
    fn may_follow(self) -> bool {
        matches!(self, Self::Number | Self::Known(_))
    }

    /// Whether it can stand after a decimal point.
    fn is_decimal(self) -> bool {
        matches!(self, Self::Number | Self::Known(Word::Zero | Word::Ones(_) | Word::Tens(_)))
    }
}

fn is_number(word: &str) -> bool {
    let (whole, fraction) = word.split_once('.').map_or((word, None), |(w, f)| (w, Some(f)));
    let digits = |s: &str| !s.is_empty() && s.chars().all(is_digit);
    digits(whole) && fraction.is_none_or(digits)
}

/// The number being read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pending {
    /// A whole number in ASCII digits without leading zeros.
    Quantity(String),
    /// Digits in a row, with points and signs as they came.
    Digits(String),
}

impl Pending {
    fn into_text(self) -> String {
        match self {
            Self::Quantity(text) | Self::Digits(text) => text,
        }
    }

    /// Text to append digits to; the quantity zero counts as nothing.
    fn into_prefix(self) -> String {
        match self {
            Self::Quantity(zero) if zero == "0" => String::new(),
            other => other.into_text(),
        }
    }
}

/// All passes on numbers; words of the result are separated by single spaces where words were read.
pub(super) fn to_digits(text: &str) -> String {
    let mut text = match read_halves(text) {
        Some(new) => new,
        None => text.to_owned(),
    };
    if text.bytes().any(|b| b.is_ascii_digit()) {
        apply(&mut text, part_digits_from_letters);
        apply(&mut text, join_ordinal_endings);
    }
    let mut text = Reader::read(&text);
    if text.contains(['€', '£', '$']) {
        apply(&mut text, combine_cents);
        apply(&mut text, read_cents_alone);
    }
    if text.contains('1') {
        apply(&mut text, spell_one);
    }
    text
}

/// "two and a half" is "two point five", after number words only.
fn read_halves(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    if text.chars().all(is_space) {
        return Some(String::new());
    }
    if !text.contains("half") {
        return None;
    }
    let runs: Vec<_> = Runs::new(text).collect();
    let mut pieces: Vec<&str> = Vec::new();
    let mut from = 0;
    let gap = |a: (usize, usize), b: (usize, usize)| text[a.1..b.0].chars().all(is_space);
    for three in runs.windows(3) {
        let [and, a, half] = [three[0], three[1], three[2]];
        let words = [and, a, half].map(|(start, end)| &text[start..end]);
        if words != ["and", "a", "half"] || !gap(and, a) || !gap(a, half) {
            continue;
        }
        let segment = &text[from..and.0];
        from = half.1;
        if let Some(last) = split_words(segment).last() {
            let number = matches!(look_up(last), Some(Word::Zero | Word::Ones(_) | Word::Tens(_) | Word::Power(_)));
            pieces.extend([segment, if number { "point five" } else { "and a half" }]);
        }
    }
    let rest = &text[from..];
    if split_words(rest).next().is_some() {
        pieces.push(rest);
    }
    Some(pieces.join(" "))
}

/// A space between a letter and a digit.
fn part_digits_from_letters(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        let [a, b] = [pair[0], pair[1]];
        if (a.is_ascii_lowercase() && b.is_ascii_digit()) || (a.is_ascii_digit() && b.is_ascii_lowercase()) {
            edit.replace(at + 1, at + 1, " ");
        }
    }
    edit.finish()
}

/// No space before an ordinal or plural ending: `1960 s`, `274 th`.
fn join_ordinal_endings(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (start, end) in Runs::new(text) {
        if !matches!(&text[start..end], "st" | "nd" | "rd" | "th" | "s") {
            continue;
        }
        let number = text[..start].trim_end_matches(is_space);
        if number.len() < start && number.ends_with(|c: char| c.is_ascii_digit()) {
            edit.replace(number.len(), start, "");
        }
    }
    edit.finish()
}

struct Reader {
    out: String,
    sign: Option<char>,
    pending: Option<Pending>,
}

impl Reader {
    fn read(text: &str) -> String {
        let mut reader = Self { out: String::with_capacity(text.len() + 8), sign: None, pending: None };
        let words: Vec<(&str, Token)> = split_words(text).map(|w| (w, Token::of(w))).collect();
        let mut skip = false;
        for (i, (word, token)) in words.iter().enumerate() {
            if std::mem::take(&mut skip) {
                continue;
            }
            let before = i.checked_sub(1).map(|b| words[b].1);
            let after = words.get(i + 1).copied();
            match token {
                Token::Number | Token::Prefixed(_) => reader.number(word, *token),
                Token::Other => reader.flush_then(word),
                Token::Known(known) => skip = reader.known(word, *known, before, after),
            }
        }
        reader.flush();
        reader.out
    }

    /// Writes a word with the sign that waits for one; nothing is pending afterwards.
    fn emit(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push(' ');
        }
        self.out.extend(self.sign.take());
        self.out.push_str(text);
        self.pending = None;
    }

    fn flush(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.emit(&pending.into_text());
        }
    }

    fn flush_then(&mut self, word: &str) {
        self.flush();
        self.emit(word);
    }

    /// A number in digits.
    fn number(&mut self, word: &str, token: Token) {
        match &mut self.pending {
            // Decimals, or the parts of an address.
            Some(Pending::Digits(text)) if text.ends_with('.') => return text.push_str(word),
            _ => self.flush(),
        }
        let mut bare = word;
        if let Token::Prefixed(sign) = token {
            self.sign = Some(sign);
            bare = &word[sign.len_utf8()..];
        }
        self.pending = Some(match parse(bare) {
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => Pending::Quantity(trim_zeros(&whole)),
            _ => Pending::Digits(bare.to_owned()),
        });
    }

    /// A word of the lexicon. Returns whether the next word was read too.
    fn known(&mut self, text: &str, word: Word, before: Option<Token>, after: Option<(&str, Token)>) -> bool {
        let next = after.map(|(_, token)| token);
        match word {
            Word::Zero => self.append("0"),
            Word::Ones(value) => self.pending = Some(self.with_ones(value, before)),
            Word::OnesSuffixed(value, suffix) => {
                let number = self.with_ones(value, before).into_text();
                self.emit(&(number + suffix));
            }
            Word::Tens(value) => self.pending = Some(self.with_small(value, 2, false)),
            Word::TensSuffixed(value, suffix) => {
                let number = self.with_small(value, 2, false).into_text();
                self.emit(&(number + suffix));
            }
            Word::Power(zeros) => self.multiply(zeros),
            Word::PowerSuffixed(zeros, suffix) => self.multiply_and_emit(zeros, suffix),
            Word::Sign(sign) => {
                self.flush();
                if next.is_some_and(Token::may_follow) { self.sign = Some(sign) } else { self.emit(text) }
            }
            Word::Currency(sign) => match self.pending.take() {
                Some(pending) => {
                    self.sign = Some(sign);
                    self.emit(&pending.into_text());
                }
                None => self.emit(text),
            },
            Word::Percent => self.percent(text),
            Word::Per => return self.per(text, after),
            Word::And | Word::Repeat(_) | Word::Point => {
                return self.special(text, word, before, next);
            }
        }
        false
    }

    /// Appends to what is pending, as digits.
    fn append(&mut self, digits: &str) {
        let text = self.pending.take().map_or_else(String::new, Pending::into_prefix);
        self.pending = Some(Pending::Digits(text + digits));
    }

    /// One to nineteen after what is pending.
    fn with_ones(&mut self, value: u32, before: Option<Token>) -> Pending {
        let after_tens = matches!(before, Some(Token::Known(Word::Tens(_)))) && value < 10;
        if let (Some(Pending::Digits(text)), true) = (&self.pending, after_tens) {
            // "nineteen eighty" + "four": the zero makes room.
            let room = text.strip_suffix('0').unwrap_or(text);
            return Pending::Digits(format!("{room}{value}"));
        }
        let after_ones = matches!(before, Some(Token::Known(Word::Ones(_))));
        self.with_small(value, if value < 10 { 1 } else { 2 }, after_ones)
    }

    /// Adds to a quantity that ends in `room` zeros; else, or when `as_digits`, writes the digits behind it.
    fn with_small(&mut self, value: u32, room: usize, as_digits: bool) -> Pending {
        match self.pending.take() {
            None => Pending::Quantity(value.to_string()),
            Some(Pending::Quantity(text)) if !as_digits && ends_in_zeros(&text, room) => {
                Pending::Quantity(add(&text, &value.to_string()))
            }
            Some(other) => Pending::Digits(format!("{}{value}", other.into_text())),
        }
    }

    fn multiply(&mut self, zeros: usize) {
        let power = || format!("1{:0<zeros$}", "");
        self.pending = Some(Pending::Quantity(match self.pending.take() {
            None => power(),
            Some(Pending::Quantity(text)) => scale_last_three(&text, zeros),
            Some(Pending::Digits(text)) => match shift(&text, zeros) {
                Some(product) => product,
                None => {
                    self.emit(&text);
                    power()
                }
            },
        }));
    }

    fn multiply_and_emit(&mut self, zeros: usize, suffix: &str) {
        let power = || format!("1{:0<zeros$}{suffix}", "");
        match self.pending.take() {
            None => self.emit(&power()),
            Some(Pending::Quantity(text)) => self.emit(&(scale_last_three(&text, zeros) + suffix)),
            Some(Pending::Digits(text)) => match shift(&text, zeros) {
                Some(product) => self.emit(&(product + suffix)),
                None => {
                    self.emit(&text);
                    self.emit(&power());
                }
            },
        }
    }

    fn percent(&mut self, text: &str) {
        match self.pending.take() {
            Some(pending) => self.emit(&(pending.into_text() + "%")),
            None => self.emit(text),
        }
    }

    /// "per cent" in two words.
    fn per(&mut self, text: &str, after: Option<(&str, Token)>) -> bool {
        let cent = after.is_some_and(|(word, _)| word == "cent");
        if self.pending.is_some() && cent {
            self.percent(text);
            return true;
        }
        self.flush_then(text);
        false
    }

    /// Words that mean something only before a number.
    fn special(&mut self, text: &str, word: Word, before: Option<Token>, next: Option<Token>) -> bool {
        if !next.is_some_and(Token::may_follow) {
            self.flush_then(text);
            return false;
        }
        match word {
            // "two hundred and six"
            Word::And if matches!(before, Some(Token::Known(Word::Power(_)))) => {}
            Word::Repeat(times) => {
                let digit = match next {
                    Some(Token::Known(Word::Ones(value))) => value,
                    Some(Token::Known(Word::Zero)) => 0,
                    _ => {
                        self.flush_then(text);
                        return false;
                    }
                };
                self.append(&digit.to_string().repeat(times));
                return true;
            }
            Word::Point => {
                if next.is_some_and(Token::is_decimal) {
                    self.append(".");
                }
            }
            _ => self.flush_then(text),
        }
        false
    }
}

/// Whole and decimal digits in ASCII of a text like `12`, `3.5`, `3.` or `.5`; `None` for any other form.
fn parse(text: &str) -> Option<(String, String)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let ascii = |s: &str| -> Option<String> { s.chars().map(|c| char::from_digit(digit_value(c)?, 10)).collect() };
    Some((ascii(whole)?, ascii(fraction)?))
}

fn trim_zeros(digits: &str) -> String {
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}

fn ends_in_zeros(quantity: &str, zeros: usize) -> bool {
    quantity == "0" || (quantity.len() > zeros && quantity[quantity.len() - zeros..].bytes().all(|b| b == b'0'))
}

/// Sum of two whole numbers in decimal digits.
fn add(a: &str, b: &str) -> String {
    let (mut a, mut b) = (a.bytes().rev(), b.bytes().rev());
    let mut reversed = Vec::new();
    let mut carry = 0;
    loop {
        let (x, y) = (a.next(), b.next());
        if x.is_none() && y.is_none() && carry == 0 {
            break;
        }
        let sum = x.map_or(0, |d| d - b'0') + y.map_or(0, |d| d - b'0') + carry;
        reversed.push(b'0' + sum % 10);
        carry = sum / 10;
    }
    trim_zeros(&reversed.iter().rev().map(|d| char::from(*d)).collect::<String>())
}

/// Multiplies the last three digits by ten to the `zeros`: "two thousand five" + "hundred".
fn scale_last_three(quantity: &str, zeros: usize) -> String {
    let (before, last) = quantity.split_at(quantity.len().saturating_sub(3));
    let scaled = format!("{last}{:0<zeros$}", "");
    if before.is_empty() { trim_zeros(&scaled) } else { add(&format!("{before}000"), &scaled) }
}

/// Digits with a decimal part times ten to the `zeros`, if that is a whole number.
fn shift(text: &str, zeros: usize) -> Option<String> {
    let (whole, fraction) = parse(text)?;
    let (kept, rest) = fraction.split_at(fraction.len().min(zeros));
    let whole_number = rest.bytes().all(|b| b == b'0');
    whole_number.then(|| trim_zeros(&format!("{whole}{kept:0<zeros$}")))
}

/// One or two digits from `at` that end a run of `\w`, as their end and value.
fn cents(text: &str, at: usize) -> Option<(usize, u32)> {
    let digits = text[at..].bytes().take(3).take_while(u8::is_ascii_digit).count();
    let end = at + digits;
    let whole = (1..=2).contains(&digits) && !text[end..].chars().next().is_some_and(is_word);
    if whole { Some((end, text[at..end].parse().ok()?)) } else { None }
}

/// `$2 and ¢7` is `$2.07`.
fn combine_cents(text: &str) -> Option<String> {
    if !text.contains('¢') {
        return None;
    }
    let mut edit = Edit::new(text);
    for (at, sign) in text.match_indices(['€', '£', '$']) {
        if at < edit.done_to() {
            continue;
        }
        let from = at + sign.len();
        let end = from + text[from..].bytes().take_while(u8::is_ascii_digit).count();
        let Some(rest) = text[end..].strip_prefix(' ').filter(|_| end > from) else {
            continue;
        };
        let Some(rest) = rest.strip_prefix("and ").unwrap_or(rest).strip_prefix('¢') else {
            continue;
        };
        if let Some((stop, value)) = cents(text, text.len() - rest.len()) {
            edit.replace(end, stop, &format!(".{value:02}"));
        }
    }
    edit.finish()
}

/// `$0.07` is `¢7`. The peer's pattern lets any character stand for the point.
fn read_cents_alone(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (at, sign) in text.match_indices(['€', '£', '$']) {
        if at < edit.done_to() {
            continue;
        }
        let Some(rest) = text[at + sign.len()..].strip_prefix('0') else {
            continue;
        };
        let Some(point) = rest.chars().next().filter(|c| *c != '\n') else {
            continue;
        };
        let from = text.len() - rest.len() + point.len_utf8();
        if let Some((stop, value)) = cents(text, from) {
            let mut written = String::new();
            // Writing to a string cannot fail.
            let _ = write!(written, "¢{value}");
            edit.replace(at, stop, &written);
        }
    }
    edit.finish()
}

/// `1` and `1s` that stand alone are written as words.
fn spell_one(text: &str) -> Option<String> {
    let mut edit = Edit::new(text);
    for (start, end) in Runs::new(text) {
        match &text[start..end] {
            "1" => edit.replace(start, end, "one"),
            "1s" => edit.replace(start, end, "ones"),
            _ => {}
        }
    }
    edit.finish()
}
