//! Number words to digits, the way Whisper's EnglishNumberNormalizer reads them.
//!
//! A reader goes over the words with one pending number. A pending number is either a quantity, which arithmetic
//! applies to ("two hundred" + "six"), or a string of digits, which further digits are appended to ("one oh one").
//! Quantities are decimal strings: "nine decillion decillion" is a valid input and must not overflow.

use std::sync::LazyLock;

use super::draft::{Draft, Edit, Rule};
use super::scan::{
    Kinds, WordTable, digit_runs, digit_value, is_digit, is_space, is_word, positions, runs, signs, word_ranges,
};
use super::spelling;

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

static LEXICON: LazyLock<WordTable<Word>> = LazyLock::new(|| WordTable::of(lexicon()));

/// One to nineteen.
pub(crate) const ONES: [&str; 19] = [
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
fn lexicon() -> Vec<(String, Word)> {
    let mut words = Vec::new();
    let mut add = |name: String, word: Word| words.push((name, word));
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
    LEXICON.get(word)
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

/// Digits, perhaps with a point and more digits.
fn is_number(word: &str) -> bool {
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return !word.is_empty();
    }
    let (whole, fraction) = word.split_once('.').map_or((word, None), |(w, f)| (w, Some(f)));
    let digits = |s: &str| !s.is_empty() && s.chars().all(is_digit);
    digits(whole) && fraction.is_none_or(digits)
}

/// What is pending, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// A whole number in ASCII digits without leading zeros.
    Quantity,
    /// Digits in a row, with points and signs as they came.
    Digits,
}

/// Passes before numbers are read: halves, digits apart from letters.
pub(super) fn separate(draft: &mut Draft<'_>) {
    if draft.text().contains("half") {
        draft.pass("half", read_halves);
    }
    // Compatibility forms may have become digits.
    if Kinds::of(draft.text()).has(Kinds::DIGIT) {
        draft.pass("digits apart from letters", part_digits_from_letters);
    }
}

/// Number words to digits and British to American spelling, in a text of words joined by single spaces.
///
/// Spelling is a later step of the peer. It is done here because the words that are no numbers are at hand; nothing
/// between the two makes or takes away a word of the spelling table, whose entries are letters only.
pub(super) fn read(draft: &mut Draft<'_>) {
    draft.pass("number", |edit| Reader::read(edit));
    let kinds = Kinds::of(draft.text());
    if kinds.any([Kinds::DOLLAR, Kinds::BEYOND_ASCII]) {
        draft.pass("cents", combine_cents);
        draft.pass("cents", read_cents_alone);
    }
    if kinds.has(Kinds::ONE) {
        draft.pass("one in letters", spell_one);
    }
}

/// "two and a half" is "two point five", after number words only. Without a word before it, it is dropped.
fn read_halves(edit: &mut Edit<'_>) {
    let text = edit.text();
    let mut last_two = [(0, 0); 2];
    let mut from = 0;
    let gap = |a: (usize, usize), b: (usize, usize)| text[a.1..b.0].chars().all(is_space);
    for half in runs(text) {
        let [and, a] = last_two;
        last_two = [a, half];
        let words = [and, a, half].map(|(start, end)| &text[start..end]);
        if words != ["and", "a", "half"] || !gap(and, a) || !gap(a, half) {
            continue;
        }
        let last = text[from..and.0].rsplit(is_space).find(|word| !word.is_empty());
        from = half.1;
        match last.map(look_up) {
            None => edit.replace(and.0, half.1, " "),
            Some(Some(Word::Zero | Word::Ones(_) | Word::Tens(_) | Word::Power(_))) => {
                edit.replace(and.0, half.1, " point five ");
            }
            Some(_) => edit.replace(and.0, half.1, " and a half "),
        }
    }
}

/// A space between a letter and a digit, and none before an ordinal or plural ending: `1960 s`, `274 th`.
///
/// The peer does the first everywhere and then the second.
fn part_digits_from_letters(edit: &mut Edit<'_>) {
    let text = edit.text();
    for (start, end) in digit_runs(text) {
        if text[..start].ends_with(|c: char| c.is_ascii_lowercase()) {
            edit.replace(start, start, " ");
        }
        let rest = &text[end..];
        let next = rest.as_bytes().first().copied().unwrap_or_default();
        if next.is_ascii_lowercase() {
            if !begins_with_ending(rest) {
                edit.replace(end, end, " ");
            }
        } else if next == b' ' || !next.is_ascii_graphic() {
            let word = rest.trim_start_matches(is_space);
            if word.len() < rest.len() && begins_with_ending(word) {
                edit.replace_as(Rule::Named("ordinal ending"), end, text.len() - word.len(), "");
            }
        }
    }
}

/// Whether an ordinal or plural ending comes first, up to the end of its word or a digit (which is parted from it).
fn begins_with_ending(text: &str) -> bool {
    let letters = text.bytes().take(3).take_while(u8::is_ascii_lowercase).count();
    matches!(&text[..letters], "st" | "nd" | "rd" | "th" | "s")
        && !text[letters..].chars().next().is_some_and(|c| is_word(c) && !c.is_ascii_digit())
}

/// A word with its place in the text.
#[derive(Clone, Copy)]
struct Read<'a> {
    text: &'a str,
    start: usize,
    token: Token,
}

impl Read<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Goes over the words. `out` is what the words from `group` on have become so far; it takes their place in the text
/// as soon as nothing is pending.
struct Reader<'e, 'a> {
    edit: &'e mut Edit<'a>,
    sign: Option<char>,
    pending: Pending,
    /// Digits of the pending number.
    digits: String,
    out: String,
    group: Option<usize>,
    /// End of the word before the one being read.
    read_to: usize,
}

impl<'e, 'a> Reader<'e, 'a> {
    fn read(edit: &'e mut Edit<'a>) {
        let text = edit.text();
        let mut words = word_ranges(text).map(|(start, end)| {
            let text = &text[start..end];
            Read { text, start, token: Token::of(text) }
        });
        let mut reader = Self {
            edit,
            sign: None,
            pending: Pending::Nothing,
            digits: String::new(),
            out: String::new(),
            group: None,
            read_to: 0,
        };
        let mut before = None;
        let mut current = words.next();
        while let Some(word) = current {
            let mut after = words.next();
            let skipped = reader.step(word, before, after);
            reader.read_to = word.end();
            before = Some(word.token);
            if let Some(second) = after.filter(|_| skipped) {
                reader.read_to = second.end();
                before = Some(second.token);
                after = words.next();
            }
            if reader.pending == Pending::Nothing && !reader.out.is_empty() {
                reader.close();
            }
            current = after;
        }
        reader.flush();
    }

    /// Reads one word. Returns whether the next word was read too.
    fn step(&mut self, word: Read<'_>, before: Option<Token>, after: Option<Read<'_>>) -> bool {
        match word.token {
            Token::Other => {
                self.flush();
                let spelled = spelling::american(word.text).filter(|_| self.sign.is_none());
                if self.sign.is_some() || self.group.is_some() {
                    self.group.get_or_insert(word.start);
                    self.emit(spelled.unwrap_or(word.text));
                } else if let Some(spelled) = spelled {
                    self.edit.replace_as(Rule::Named("spelling"), word.start, word.end(), spelled);
                }
                false
            }
            Token::Number | Token::Prefixed(_) => {
                self.number(word);
                false
            }
            Token::Known(known) => {
                let text = (word.start, word.text);
                self.known(text, known, before, after)
            }
        }
    }

    /// Writes a word with the sign that waits for one; nothing is pending afterwards.
    fn emit(&mut self, text: &str) {
        self.begin_word();
        self.out.push_str(text);
        self.pending = Pending::Nothing;
    }

    fn begin_word(&mut self) {
        if !self.out.is_empty() {
            self.out.push(' ');
        }
        self.out.extend(self.sign.take());
    }

    /// Writes the pending digits and what follows them as one word.
    fn emit_pending(&mut self, suffix: &str) {
        self.begin_word();
        self.out.push_str(&self.digits);
        self.out.push_str(suffix);
        self.pending = Pending::Nothing;
    }

    /// Writes what is pending before the word being read.
    fn flush(&mut self) {
        if self.pending != Pending::Nothing {
            self.emit_pending("");
            self.close();
        }
    }

    /// Puts `out` in the place of the words read so far.
    fn close(&mut self) {
        if let Some(start) = self.group.take()
            && self.edit.text()[start..self.read_to] != self.out
        {
            self.edit.replace(start, self.read_to, &self.out);
        }
        self.out.clear();
    }

    fn flush_then(&mut self, (start, word): (usize, &str)) {
        self.flush();
        self.group.get_or_insert(start);
        self.emit(word);
    }

    /// A number in digits.
    fn number(&mut self, word: Read<'_>) {
        // Decimals, or the parts of an address.
        if self.pending == Pending::Digits && self.digits.ends_with('.') {
            return self.digits.push_str(word.text);
        }
        self.flush();
        self.group.get_or_insert(word.start);
        let mut bare = word.text;
        if let Token::Prefixed(sign) = word.token {
            self.sign = Some(sign);
            bare = &word.text[sign.len_utf8()..];
        }
        self.digits.clear();
        if bare.bytes().all(|b| b.is_ascii_digit()) {
            self.digits.push_str(trim_zeros(bare));
            self.pending = Pending::Quantity;
            return;
        }
        self.pending = match parse(bare) {
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => {
                self.digits.push_str(trim_zeros(&whole));
                Pending::Quantity
            }
            _ => {
                self.digits.push_str(bare);
                Pending::Digits
            }
        };
    }

    /// A word of the lexicon. Returns whether the next word was read too.
    fn known(&mut self, text: (usize, &str), word: Word, before: Option<Token>, after: Option<Read<'_>>) -> bool {
        let next = after.map(|read| read.token);
        match word {
            Word::Sign(_) | Word::Per | Word::And | Word::Repeat(_) | Word::Point => {}
            _ => {
                self.group.get_or_insert(text.0);
            }
        }
        match word {
            Word::Zero => self.append("0"),
            Word::Ones(value) => self.ones(value, before),
            Word::OnesSuffixed(value, suffix) => {
                self.ones(value, before);
                self.emit_pending(suffix);
            }
            Word::Tens(value) => self.small(value, 2, false),
            Word::TensSuffixed(value, suffix) => {
                self.small(value, 2, false);
                self.emit_pending(suffix);
            }
            Word::Power(zeros) => self.multiply(text.0, zeros),
            Word::PowerSuffixed(zeros, suffix) => {
                self.multiply(text.0, zeros);
                self.emit_pending(suffix);
            }
            Word::Sign(sign) => {
                self.flush();
                self.group.get_or_insert(text.0);
                if next.is_some_and(Token::may_follow) { self.sign = Some(sign) } else { self.emit(text.1) }
            }
            Word::Currency(sign) => {
                if self.pending == Pending::Nothing {
                    self.emit(text.1);
                } else {
                    self.sign = Some(sign);
                    self.emit_pending("");
                }
            }
            Word::Percent if self.pending == Pending::Nothing => self.emit(text.1),
            Word::Percent => self.emit_pending("%"),
            Word::Per => {
                // "per cent" in two words.
                if self.pending != Pending::Nothing && after.is_some_and(|read| read.text == "cent") {
                    self.emit_pending("%");
                    return true;
                }
                self.flush_then(text);
            }
            Word::And | Word::Repeat(_) | Word::Point => return self.special(text, word, before, next),
        }
        false
    }

    /// Appends to what is pending, as digits; the quantity zero counts as nothing.
    fn append(&mut self, digits: &str) {
        if self.pending == Pending::Nothing || (self.pending == Pending::Quantity && self.digits == "0") {
            self.digits.clear();
        }
        self.digits.push_str(digits);
        self.pending = Pending::Digits;
    }

    /// One to nineteen after what is pending.
    fn ones(&mut self, value: u32, before: Option<Token>) {
        let after_tens = matches!(before, Some(Token::Known(Word::Tens(_)))) && value < 10;
        if self.pending == Pending::Digits && after_tens {
            // "nineteen eighty" + "four": the zero makes room.
            if self.digits.ends_with('0') {
                self.digits.pop();
            }
            push_number(&mut self.digits, value);
            return;
        }
        let after_ones = matches!(before, Some(Token::Known(Word::Ones(_))));
        self.small(value, if value < 10 { 1 } else { 2 }, after_ones);
    }

    /// Adds to a quantity that ends in `room` zeros; else, or when `as_digits`, writes the digits behind it.
    fn small(&mut self, value: u32, room: usize, as_digits: bool) {
        match self.pending {
            Pending::Nothing => {
                self.digits.clear();
                self.pending = Pending::Quantity;
            }
            Pending::Quantity if !as_digits && ends_in_zeros(&self.digits, room) => {
                // The value has at most `room` digits: they take the place of zeros, and nothing is carried.
                let width = if value < 10 { 1 } else { 2 };
                self.digits.truncate(self.digits.len().saturating_sub(width));
            }
            Pending::Quantity | Pending::Digits => self.pending = Pending::Digits,
        }
        push_number(&mut self.digits, value);
    }

    /// Multiplies what is pending by ten to the `zeros`, or writes it and begins anew with that power.
    fn multiply(&mut self, start: usize, zeros: usize) {
        match self.pending {
            Pending::Quantity => scale_last_three(&mut self.digits, zeros),
            Pending::Digits if let Some(product) = shift(&self.digits, zeros) => self.digits = product,
            Pending::Nothing | Pending::Digits => {
                self.flush();
                self.group.get_or_insert(start);
                self.digits.clear();
                self.digits.push('1');
                push_zeros(&mut self.digits, zeros);
            }
        }
        self.pending = Pending::Quantity;
    }

    /// Words that mean something only before a number. A "point" without a decimal after it is dropped.
    fn special(&mut self, text: (usize, &str), word: Word, before: Option<Token>, next: Option<Token>) -> bool {
        if !next.is_some_and(Token::may_follow) {
            self.flush_then(text);
            return false;
        }
        match word {
            // "two hundred and six"
            Word::And if matches!(before, Some(Token::Known(Word::Power(_)))) => {
                self.group.get_or_insert(text.0);
            }
            Word::Repeat(times) => {
                let digit = match next {
                    Some(Token::Known(Word::Ones(value))) => value,
                    Some(Token::Known(Word::Zero)) => 0,
                    _ => {
                        self.flush_then(text);
                        return false;
                    }
                };
                self.group.get_or_insert(text.0);
                self.append("");
                for _ in 0..times {
                    push_number(&mut self.digits, digit);
                }
                return true;
            }
            Word::Point => {
                self.group.get_or_insert(text.0);
                if next.is_some_and(Token::is_decimal) {
                    self.append(".");
                }
            }
            _ => self.flush_then(text),
        }
        false
    }
}

/// Less than a hundred.
fn push_number(digits: &mut String, value: u32) {
    let digit = |value: u32| char::from(b'0' + (value % 10) as u8);
    if value >= 10 {
        digits.push(digit(value / 10));
    }
    digits.push(digit(value));
}

fn push_zeros(digits: &mut String, zeros: usize) {
    digits.extend(std::iter::repeat_n('0', zeros));
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

fn trim_zeros(digits: &str) -> &str {
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0" } else { trimmed }
}

fn ends_in_zeros(quantity: &str, zeros: usize) -> bool {
    quantity == "0" || (quantity.len() > zeros && quantity[quantity.len() - zeros..].bytes().all(|b| b == b'0'))
}

/// Multiplies the last three digits by ten to the `zeros`: "two thousand five" + "hundred".
fn scale_last_three(quantity: &mut String, zeros: usize) {
    let before = quantity.len().saturating_sub(3);
    let last = quantity.split_off(before);
    if before == 0 {
        quantity.push_str(&last);
        push_zeros(quantity, zeros);
        let trimmed = trim_zeros(quantity).len();
        quantity.drain(..quantity.len() - trimmed);
        return;
    }
    if last == "000" {
        quantity.push_str(&last);
        return;
    }
    let mut scaled = last;
    push_zeros(&mut scaled, zeros);
    quantity.push_str("000");
    *quantity = add(quantity, &scaled);
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
    trim_zeros(&reversed.iter().rev().map(|d| char::from(*d)).collect::<String>()).to_owned()
}

/// Digits with a decimal part times ten to the `zeros`, if that is a whole number.
fn shift(text: &str, zeros: usize) -> Option<String> {
    let (whole, fraction) = parse(text)?;
    let (kept, rest) = fraction.split_at(fraction.len().min(zeros));
    let whole_number = rest.bytes().all(|b| b == b'0');
    whole_number.then(|| trim_zeros(&format!("{whole}{kept:0<zeros$}")).to_owned())
}

/// One or two digits from `at` that end a run of `\w`, as their end and value.
fn cents(text: &str, at: usize) -> Option<(usize, u32)> {
    let digits = text[at..].bytes().take(3).take_while(u8::is_ascii_digit).count();
    let end = at + digits;
    let whole = (1..=2).contains(&digits) && !text[end..].chars().next().is_some_and(is_word);
    if whole { Some((end, text[at..end].parse().ok()?)) } else { None }
}

/// `$2 and ¢7` is `$2.07`.
fn combine_cents(edit: &mut Edit<'_>) {
    let text = edit.text();
    if !text.contains('¢') {
        return;
    }
    for (at, length) in signs(text, |b| b == b'$', &['€', '£']) {
        if at < edit.done_to() {
            continue;
        }
        let from = at + length;
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
}

/// `$0.07` is `¢7`. The peer's pattern lets any character stand for the point.
fn read_cents_alone(edit: &mut Edit<'_>) {
    let text = edit.text();
    for (at, length) in signs(text, |b| b == b'$', &['€', '£']) {
        if at < edit.done_to() {
            continue;
        }
        let Some(rest) = text[at + length..].strip_prefix('0') else {
            continue;
        };
        let Some(point) = rest.chars().next().filter(|c| *c != '\n') else {
            continue;
        };
        let from = text.len() - rest.len() + point.len_utf8();
        if let Some((stop, value)) = cents(text, from) {
            edit.replace(at, stop, &format!("¢{value}"));
        }
    }
}

/// `1` and `1s` that stand alone are written as words.
fn spell_one(edit: &mut Edit<'_>) {
    let text = edit.text();
    for at in positions(text, |b| b == b'1') {
        let plural = text[at + 1..].starts_with('s');
        let end = at + 1 + usize::from(plural);
        let alone =
            !text[..at].chars().next_back().is_some_and(is_word) && !text[end..].chars().next().is_some_and(is_word);
        if alone {
            edit.replace(at, end, if plural { "ones" } else { "one" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_the_reader_is_in_the_spelling_table() {
        for word in LEXICON.words().map(|(word, _)| word).chain(["one", "ones", "cent"]) {
            assert_eq!(spelling::american(word), None, "{word}");
        }
    }
}
