//! A share of a count.

/// A percentage, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(f64);

impl Percent {
    /// # Errors
    /// Anything that is not between 0 and 100.
    pub fn new(percent: f64) -> Result<Self, String> {
        if (0.0..=100.0).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(format!("{percent} % is not between 0 % and 100 %"))
        }
    }

    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// So many percent of a count, rounded up.
    #[must_use]
    pub fn of(self, count: u64) -> u64 {
        // A hair is taken off so that 10 % of 50 is 5, not 6.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts stay far below 2^53, where f64 is exact, and what is no count at all saturates"
        )]
        let share = (count as f64 * self.0 / 100.0 - 1e-9).ceil().max(0.0) as u64;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_up_and_stay_exact() {
        let of = |p: f64, n| Percent::new(p).unwrap().of(n);
        assert_eq!((of(10.0, 50), of(10.0, 51), of(0.0, 50), of(30.0, 10)), (5, 6, 0, 3));
        assert!(Percent::new(101.0).is_err() && Percent::new(-1.0).is_err() && Percent::new(f64::NAN).is_err());
    }
}
