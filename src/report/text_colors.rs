//! Colours of the terminal's own palette, so that they suit dark and light backgrounds alike.

pub(super) const RED: u8 = 31;
pub(super) const GREEN: u8 = 32;
pub(super) const YELLOW: u8 = 33;
pub(super) const MAGENTA: u8 = 35;
pub(super) const CYAN: u8 = 36;

/// Puts text in colour, or leaves it. What is given to it has been made visible before.
#[derive(Clone, Copy)]
pub(super) struct TextColors(pub bool);

impl TextColors {
    pub(super) fn paint_bold(self, text: &str) -> String {
        self.paint_color(1, text)
    }
    pub(super) fn paint_dim(self, text: &str) -> String {
        self.paint_color(2, text)
    }
    pub(super) fn paint_color(self, code: u8, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
