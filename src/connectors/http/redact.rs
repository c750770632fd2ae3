//! What a server says may repeat what it was sent. Every text that goes into an error or a log passes here, and loses
//! every secret that this side knows.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use crate::model::Secret;

/// What stands where a secret stood.
const MARK: &str = "(secret)";
/// Tokens remembered; older ones have expired.
const TOKENS: usize = 8;
/// Longer texts are cut: a description is a sentence, not a page.
const LONGEST: usize = 500;

/// The secrets of one target.
#[derive(Debug, Default)]
pub struct SecretRedactor {
    /// Those of the configuration.
    lasting: RwLock<Vec<Secret>>,
    /// Those that signing in brought.
    tokens: RwLock<VecDeque<Secret>>,
}

impl SecretRedactor {
    pub fn keep_secret(&self, secret: Secret) {
        self.lasting.write().unwrap_or_else(PoisonError::into_inner).push(secret);
    }

    pub fn keep_token(&self, token: Secret) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() == TOKENS {
            tokens.pop_front();
        }
        tokens.push_back(token);
    }

    /// The text without the known secrets and those given (a request's own), without control characters, on one line,
    /// and not longer than a person reads.
    pub fn scrub_text(&self, text: &str, own: &[Secret]) -> String {
        let lasting = self.lasting.read().unwrap_or_else(PoisonError::into_inner);
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let mut secrets: Vec<&str> =
            lasting.iter().chain(tokens.iter()).chain(own).map(Secret::expose).filter(|s| !s.is_empty()).collect();
        // Longest first, so that a secret inside another does not leave the rest of the other.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut out = text.to_owned();
        for secret in secrets {
            if out.contains(secret) {
                out = out.replace(secret, MARK);
            }
        }
        let mut out: String = out.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if let Some((end, _)) = out.char_indices().nth(LONGEST) {
            out.truncate(end);
            out.push('…');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_leave_every_text() {
        let redactor = SecretRedactor::default();
        redactor.keep_secret(Secret::new("key"));
        redactor.keep_secret(Secret::new("key-long"));
        redactor.keep_token(Secret::new("tok-1"));
        let text = redactor.scrub_text("key-long tok-1 hunter2\r\nkey", &[Secret::new("hunter2"), Secret::new("")]);
        assert_eq!(text, "(secret) (secret) (secret)  (secret)");
    }

    #[test]
    fn tokens_come_and_go_and_the_configured_secrets_stay() {
        let redactor = SecretRedactor::default();
        redactor.keep_secret(Secret::new("the-key"));
        for n in 0..20 {
            redactor.keep_token(Secret::new(format!("token-{n:02}")));
        }
        assert_eq!(redactor.scrub_text("the-key token-19 token-12", &[]), "(secret) (secret) (secret)");
        assert_eq!(redactor.scrub_text("token-00", &[]), "token-00");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let cut = SecretRedactor::default().scrub_text(&"é".repeat(1000), &[]);
        assert_eq!(cut.chars().count(), LONGEST + 1);
    }
}
