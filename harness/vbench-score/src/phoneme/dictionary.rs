//! A pronouncing dictionary in the format of the CMU Pronouncing Dictionary.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::inventory::Phoneme;
use crate::error::ScoreError;
use crate::tokens::FoldHasher;

/// Words and their phonemes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    name: String,
    words: HashMap<Box<str>, (u32, u8), BuildHasherDefault<FoldHasher>>,
    phonemes: Vec<Phoneme>,
}

impl Dictionary {
    /// Reads `cmudict.dict`: lines `word PH PH ...` in lower case; `#` begins a comment. Stress digits are stripped. Of
    /// several pronunciations the first is kept; further ones (`word(2)`) are skipped. `name` is what reports call it.
    ///
    /// # Errors
    /// [`ScoreError::Dictionary`] with the line: no phonemes, more than 255, or one that is not in the inventory; or no
    /// word at all (line 0).
    pub fn parse(name: &str, text: &str) -> Result<Self, ScoreError> {
        let mut dictionary = Self { name: name.to_owned(), words: HashMap::default(), phonemes: Vec::new() };
        let names: HashMap<&str, Phoneme> = Phoneme::all().filter_map(|p| Some((p.entry().arpabet?, p))).collect();
        for (index, line) in text.lines().enumerate() {
            // A `#` that begins a line is an entry of old versions ("#sharp-sign"), not a comment.
            let line = line.split_once(" #").map_or(line, |(entry, _)| entry);
            let mut fields = line.split_ascii_whitespace();
            let Some(word) = fields.next() else { continue };
            let problem = |message: String| ScoreError::Dictionary { line: index + 1, message };
            let start = dictionary.phonemes.len();
            for field in fields {
                let phoneme = names.get(field.trim_end_matches(|c: char| c.is_ascii_digit()));
                let phoneme = phoneme.ok_or_else(|| problem(format!("{field:?} is no phoneme of the dictionary")))?;
                dictionary.phonemes.push(*phoneme);
            }
            let length = dictionary.phonemes.len() - start;
            if length == 0 {
                return Err(problem(format!("{word:?} has no phonemes")));
            }
            let length = u8::try_from(length).map_err(|_| problem(format!("{word:?} has {length} phonemes")))?;
            if word.ends_with(')') && word.contains('(') || dictionary.words.contains_key(word) {
                dictionary.phonemes.truncate(start);
                continue;
            }
            let start = u32::try_from(start).map_err(|_| problem("the dictionary is too large".to_owned()))?;
            dictionary.words.insert(word.into(), (start, length));
        }
        if dictionary.words.is_empty() {
            return Err(ScoreError::Dictionary { line: 0, message: "it holds no word".to_owned() });
        }
        Ok(dictionary)
    }

    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Never: [`Dictionary::parse`] refuses an empty one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The first pronunciation of a word in lower case.
    #[must_use]
    pub fn get(&self, word: &str) -> Option<&[Phoneme]> {
        let &(start, length) = self.words.get(word)?;
        Some(&self.phonemes[start as usize..start as usize + usize::from(length)])
    }
}
