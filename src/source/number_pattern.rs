//! Number formats of a spreadsheet, as far as they say how the digits of a whole number stand.

/// A number format that only arranges digits: zeros in front, and characters between them (`00000`, `000-00-0000`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<PatternPiece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PatternPiece {
    /// A digit, and a zero where there is none.
    Digit,
    /// A digit, and nothing where there is none.
    Optional,
    Literal(char),
}

impl Pattern {
    /// The pattern of a format code, where it is one that changes how a whole number looks. Everything that rounds, scales
    /// or groups is left out: the value itself counts then.
    pub(super) fn of(code: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut chars = code.chars();
        while let Some(char) = chars.next() {
            match char {
                ';' => break,
                '0' => pieces.push(PatternPiece::Digit),
                '#' | '?' => pieces.push(PatternPiece::Optional),
                '\\' => pieces.push(PatternPiece::Literal(chars.next()?)),
                '"' => {
                    for char in chars.by_ref() {
                        if char == '"' {
                            break;
                        }
                        pieces.push(PatternPiece::Literal(char));
                    }
                }
                // Room of the width of a character, or filled with one.
                '_' | '*' => {
                    chars.next();
                }
                // A colour. A condition or a currency is more than that.
                '[' => {
                    let inside: String = chars.by_ref().take_while(|char| *char != ']').collect();
                    if !inside.chars().all(char::is_alphabetic) {
                        return None;
                    }
                }
                '-' | '(' | ')' | '/' | '+' | ':' | ' ' | '\'' => pieces.push(PatternPiece::Literal(char)),
                _ => return None,
            }
        }
        let zeros = pieces.iter().filter(|piece| **piece == PatternPiece::Digit).count();
        let digits = pieces.iter().filter(|piece| !matches!(piece, PatternPiece::Literal(_))).count();
        let changes = zeros > 1 || (digits > 0 && digits < pieces.len());
        (digits > 0 && changes).then_some(Self { pieces })
    }

    /// Adds a whole number to `out`.
    pub(super) fn write(&self, number: f64, out: &mut String) {
        let text = format!("{:.0}", number.abs());
        let mut digits: Vec<char> = text.trim_start_matches('0').chars().collect();
        let mut reversed = Vec::new();
        let first = self.pieces.iter().position(|piece| !matches!(piece, PatternPiece::Literal(_)));
        for (at, piece) in self.pieces.iter().enumerate().rev() {
            match (piece, digits.pop()) {
                (PatternPiece::Literal(char), digit) => {
                    digits.extend(digit);
                    reversed.push(*char);
                }
                (_, Some(digit)) => reversed.push(digit),
                (PatternPiece::Digit, None) => reversed.push('0'),
                (PatternPiece::Optional, None) => {}
            }
            // More digits than places stand in front of the first.
            if Some(at) == first {
                reversed.extend(std::mem::take(&mut digits).into_iter().rev());
            }
        }
        if number < 0.0 {
            out.push('-');
        }
        out.extend(reversed.into_iter().rev());
    }
}
