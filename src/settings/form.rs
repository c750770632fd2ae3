//! What a value can be: each form reads a value and says what it takes.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use super::toml_reader::has_secret;
use super::{Choice, Doubles, Reading, Rule, SettingsTable, Takes, TomlItem, Word, Zero};

/// What a value can be.
pub trait Form {
    type Value;

    fn takes(&self) -> Takes;

    /// Reads a value; `None` has said why not.
    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<Self::Value>;
}

/// `true` or `false`.
pub struct Flag;

#[must_use]
pub const fn flag() -> Flag {
    Flag
}

impl Form for Flag {
    type Value = bool;

    fn takes(&self) -> Takes {
        Takes::Boolean
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<bool> {
        item.read_boolean(reading)
    }
}

/// A whole number within a range, in a type that holds all of it.
pub struct Whole<T> {
    range: RangeInclusive<i64>,
    kind: PhantomData<T>,
}

pub const fn whole<T: TryFrom<i64>>(range: RangeInclusive<i64>) -> Whole<T> {
    Whole { range, kind: PhantomData }
}

impl<T: TryFrom<i64>> Form for Whole<T> {
    type Value = T;

    fn takes(&self) -> Takes {
        Takes::Integer(self.range.clone())
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<T> {
        item.read_integer(&self.range, reading)
    }
}

/// Any number, which `check` turns into a value or says what is wrong with.
pub struct Number<T> {
    pub range: RangeInclusive<f64>,
    pub zero: Zero,
    pub check: fn(f64) -> Result<T, String>,
}

impl<T> Form for Number<T> {
    type Value = T;

    fn takes(&self) -> Takes {
        Takes::Number { range: self.range.clone(), zero: self.zero }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<T> {
        (self.check)(item.read_number(reading)?).or_else(|why| item.refuse(&why, None, reading).ok_or(why)).ok()
    }
}

/// One of several words.
pub struct Choices<T: 'static>(pub &'static [Choice<T>]);

impl<T: Copy> Form for Choices<T> {
    type Value = T;

    fn takes(&self) -> Takes {
        Takes::Choice(self.0.iter().map(|choice| Word { name: choice.name, says: choice.says }).collect())
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<T> {
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

impl<F: Form> Form for ItemList<F> {
    type Value = Vec<F::Value>;

    fn takes(&self) -> Takes {
        let least = usize::from(self.empty.is_some());
        Takes::List { of: Box::new(self.of.takes()), least, doubles: self.doubles, said: self.said }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<Vec<F::Value>> {
        let expected = if matches!(self.of.takes(), Takes::Text(_)) { "a list of strings" } else { self.said };
        let items = item.read_list(expected, reading)?;
        if let (Some((what, help)), true) = (self.empty, items.is_empty()) {
            return item.refuse(what, help.map(str::to_owned), reading);
        }
        Some(items.iter().filter_map(|item| self.of.read(item, reading)).collect())
    }
}

/// A table with settings of its own.
pub struct InTable<S> {
    pub of: S,
    pub rule: Rule,
    pub said: &'static str,
}

impl<S: SettingsTable> Form for InTable<S> {
    type Value = S::Value;

    fn takes(&self) -> Takes {
        Takes::Table { settings: self.of.settings(), rule: self.rule, said: self.said }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<S::Value> {
        if !item.value.is_table() {
            if has_secret(&self.of.settings()) {
                reading.hide_value(item.value, &item.span);
            }
            return item.refuse_type(self.said, reading);
        }
        let table = item.read_table(reading)?;
        if self.rule == Rule::NotEmpty && table.is_empty() {
            let names: Vec<_> = self.of.settings().iter().map(|setting| format!("`{}`", setting.name)).collect();
            return item.refuse(&format!("names neither {}", names.join(" nor ")), None, reading);
        }
        self.of.read(&table, reading)
    }
}

/// One form or another, which differ in their type of TOML.
pub struct Either<A, B> {
    pub one: A,
    pub other: B,
    pub said: &'static str,
}

impl<A: Form, B: Form<Value = A::Value>> Form for Either<A, B> {
    type Value = A::Value;

    fn takes(&self) -> Takes {
        let others = match self.other.takes() {
            Takes::Any { of, .. } => of,
            takes => vec![takes],
        };
        Takes::Any { of: std::iter::once(self.one.takes()).chain(others).collect(), said: self.said }
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<A::Value> {
        if self.one.takes().is_type_of(item.value) {
            self.one.read(item, reading)
        } else if self.other.takes().is_type_of(item.value) {
            self.other.read(item, reading)
        } else {
            item.refuse_type(self.said, reading)
        }
    }
}

/// Nothing but `true`, which stands for the defaults of a table.
pub struct OrTrue<S>(pub S);

impl<S: SettingsTable> Form for OrTrue<S> {
    type Value = S::Value;

    fn takes(&self) -> Takes {
        Takes::True
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<S::Value> {
        if item.value.as_bool() == Some(true) { self.0.defaults() } else { item.refuse_type("true", reading) }
    }
}

/// A form whose value is made into another.
pub struct Mapped<F: Form, T> {
    form: F,
    make: fn(F::Value) -> T,
}

pub const fn mapped<F: Form, T>(form: F, make: fn(F::Value) -> T) -> Mapped<F, T> {
    Mapped { form, make }
}

impl<F: Form, T> Form for Mapped<F, T> {
    type Value = T;

    fn takes(&self) -> Takes {
        self.form.takes()
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut Reading) -> Option<T> {
        self.form.read(item, reading).map(self.make)
    }
}
