//! What a value can be: each form reads a value and says what it takes.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use super::{ConfigReading, Doubles, TomlItem, ValueKind, Word, WordChoice, Zero};

/// What a value can be.
pub trait SettingForm {
    type Output;

    fn takes(&self) -> ValueKind;

    /// Reads a value; `None` has said why not.
    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Self::Output>;
}

/// `true` or `false`.
pub struct Flag;

#[must_use]
pub const fn true_or_false() -> Flag {
    Flag
}

impl SettingForm for Flag {
    type Output = bool;

    fn takes(&self) -> ValueKind {
        ValueKind::Boolean
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<bool> {
        item.read_boolean(reading)
    }
}

/// A whole number within a range, in a type that holds all of it.
pub struct Whole<T> {
    range: RangeInclusive<i64>,
    kind: PhantomData<T>,
}

pub const fn whole_number<T: TryFrom<i64>>(range: RangeInclusive<i64>) -> Whole<T> {
    Whole { range, kind: PhantomData }
}

impl<T: TryFrom<i64>> SettingForm for Whole<T> {
    type Output = T;

    fn takes(&self) -> ValueKind {
        ValueKind::Integer(self.range.clone())
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<T> {
        item.read_integer(&self.range, reading)
    }
}

/// Any number, which `check` turns into a value or says what is wrong with.
pub struct Number<T> {
    pub range: RangeInclusive<f64>,
    pub zero: Zero,
    pub check: fn(f64) -> Result<T, String>,
}

impl<T> SettingForm for Number<T> {
    type Output = T;

    fn takes(&self) -> ValueKind {
        ValueKind::Number { range: self.range.clone(), zero: self.zero }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<T> {
        (self.check)(item.read_number(reading)?).or_else(|why| item.refuse(&why, None, reading).ok_or(why)).ok()
    }
}

/// One of several words.
pub struct Choices<T: 'static>(pub &'static [WordChoice<T>]);

impl<T: Copy> SettingForm for Choices<T> {
    type Output = T;

    fn takes(&self) -> ValueKind {
        ValueKind::Choice(self.0.iter().map(|choice| Word { name: choice.name, says: choice.says }).collect())
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<T> {
        item.read_choice(self.0, reading)
    }
}

/// A list; what is wrong with one item does not hide the others.
pub struct ItemList<F> {
    pub of: F,
    pub said: &'static str,
    pub doubles: Doubles,
    /// What is wrong with an empty one, and what would be right; an empty one is allowed where nothing is.
    pub empty: Option<(&'static str, Option<&'static str>)>,
}

impl<F: SettingForm> SettingForm for ItemList<F> {
    type Output = Vec<F::Output>;

    fn takes(&self) -> ValueKind {
        let least = usize::from(self.empty.is_some());
        ValueKind::List { of: Box::new(self.of.takes()), least, doubles: self.doubles, said: self.said }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Vec<F::Output>> {
        let expected = if matches!(self.of.takes(), ValueKind::Text(_)) { "a list of strings" } else { self.said };
        let items = item.read_list(expected, reading)?;
        if let (Some((what, help)), true) = (self.empty, items.is_empty()) {
            return item.refuse(what, help.map(str::to_owned), reading);
        }
        Some(items.iter().filter_map(|item| self.of.read(item, reading)).collect())
    }
}

/// One form or another, which differ in their type of TOML.
pub struct Either<A, B> {
    pub one: A,
    pub other: B,
    pub said: &'static str,
}

impl<A: SettingForm, B: SettingForm<Output = A::Output>> SettingForm for Either<A, B> {
    type Output = A::Output;

    fn takes(&self) -> ValueKind {
        let others = match self.other.takes() {
            ValueKind::Any { of, .. } => of,
            takes => vec![takes],
        };
        ValueKind::Any { of: std::iter::once(self.one.takes()).chain(others).collect(), said: self.said }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<A::Output> {
        if self.one.takes().is_type_of(item.value) {
            self.one.read(item, reading)
        } else if self.other.takes().is_type_of(item.value) {
            self.other.read(item, reading)
        } else {
            item.refuse_type(self.said, reading)
        }
    }
}

/// A form whose value is made into another.
pub struct MappedForm<F: SettingForm, T> {
    form: F,
    make: fn(F::Output) -> T,
}

pub const fn mapped_form<F: SettingForm, T>(form: F, make: fn(F::Output) -> T) -> MappedForm<F, T> {
    MappedForm { form, make }
}

impl<F: SettingForm, T> SettingForm for MappedForm<F, T> {
    type Output = T;

    fn takes(&self) -> ValueKind {
        self.form.takes()
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<T> {
        self.form.read(item, reading).map(self.make)
    }
}
