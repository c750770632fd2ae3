//! The attributes that an account has here: those that the configuration names, and those without which nobody can be
//! found, shown or deactivated. Known without asking anybody; a server's own `/Schemas` then says what it allows.

use super::discovery::{Definition, Definitions, ServerMutability};
use super::path::ScimPath;
use super::table::{self, Is};
use crate::model::{AttrId, Attribute, Kind, Lifecycle, Schema, Value};

/// In every schema, mapped or not.
const ALWAYS: [&str; 7] = [
    "userName",
    "externalId",
    "active",
    "displayName",
    "name.givenName",
    "name.familyName",
    r#"emails[type eq "work"].value"#,
];
/// Where `userName` stands in every schema: it is the first that is always there.
pub(super) const USER_NAME: AttrId = AttrId(0);

/// A schema and, for each of its attributes, where the value stands in a resource.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub schema: Schema,
    paths: Vec<ScimPath>,
}

/// The attributes of the standard that the configuration maps or matches, named by their SCIM paths, and those that are
/// always there. A path that is none, or that the standard does not have, is left out; one of an extension that the
/// standard does not know is taken for a text.
#[must_use]
pub fn make_schema(mapped: &[String]) -> Schema {
    make_layout(mapped).schema
}

pub(super) fn make_layout(mapped: &[String]) -> Layout {
    let mut mapped: Vec<(ScimPath, Attribute)> = mapped.iter().filter_map(|name| standard_attribute(name)).collect();
    let mut chosen: Vec<(ScimPath, Attribute)> = Vec::new();
    for name in ALWAYS {
        // As the configuration spells it, where it does.
        let spelt =
            ScimPath::parse(name).and_then(|path| mapped.iter().position(|(other, _)| other.is_same_path(&path)));
        chosen.extend(spelt.map(|at| mapped.remove(at)).or_else(|| standard_attribute(name)));
    }
    for (path, attribute) in mapped {
        if chosen.len() < Schema::MOST && !chosen.iter().any(|(other, _)| other.is_same_path(&path)) {
            chosen.push((path, attribute));
        }
    }
    let (paths, attributes) = chosen.into_iter().unzip();
    Layout { schema: assemble_schema(attributes), paths }
}

impl Layout {
    pub fn path_of(&self, id: AttrId) -> &ScimPath {
        &self.paths[usize::from(id.0)]
    }

    pub fn iter(&self) -> impl Iterator<Item = (AttrId, &Attribute, &ScimPath)> {
        self.schema.iter().zip(&self.paths).map(|((id, attribute), path)| (id, attribute, path))
    }

    /// The same attributes as the server defines them. What it does not define stays as it is.
    pub fn refine_layout(&self, definitions: &Definitions) -> Self {
        let refine = |(_, attribute, path): (AttrId, &Attribute, &ScimPath)| match definitions.find(path) {
            Some((whole, part)) => refine_attribute(attribute, path, whole, part),
            None => attribute.clone(),
        };
        Self { schema: assemble_schema(self.iter().map(refine).collect()), paths: self.paths.clone() }
    }
}

fn assemble_schema(attributes: Vec<Attribute>) -> Schema {
    let mut schema = Schema::new(attributes);
    schema.lifecycle = schema.id("active").map(|attribute| Lifecycle {
        attribute,
        active: Value::Bool(true),
        inactive: Value::Bool(false),
    });
    schema.can_delete = true;
    schema
}

/// The attribute of a name as the configuration writes it.
fn standard_attribute(name: &str) -> Option<(ScimPath, Attribute)> {
    let path = ScimPath::parse(name)?;
    if table::is_foreign(&path) {
        return Some((path, Attribute::new(name, Kind::Text)));
    }
    let urn = path.urn.as_deref();
    let whole = table::find(urn, &path.name)?;
    let many = matches!(whole.1, Is::Many | Is::Values);
    match (&path.filter, &path.part) {
        (None, None) => {}
        (None, Some(_)) if whole.1 == Is::Complex => {}
        (Some(filter), Some(_)) if many => {
            table::find(urn, &format!("{}.{}", path.name, filter.part))?;
        }
        // Which of many, or all of one of many, is no one value.
        _ => return None,
    }
    let row = table::find(urn, &path.dotted_name())?;
    let text = Attribute::new(name, Kind::Text);
    let attribute = match row.1 {
        Is::Login => text.required().unique().ignoring_case(),
        Is::Id => text.unique(),
        Is::Exact | Is::Shown => text,
        Is::Token => text.ignoring_case(),
        Is::Bool => Attribute::new(name, Kind::Bool),
        Is::Secret => text.secret(),
        Is::Complex => Attribute::new(name, Kind::Map(Box::new(Kind::Any))).merged(),
        Is::Many => Attribute::new(name, Kind::List(Box::new(Kind::Json))),
        Is::Values => Attribute::new(name, Kind::List(Box::new(Kind::Text))),
    };
    Some((path, attribute.allows(row.2)))
}

/// An attribute as the server defines it: the attribute as a whole, and the part of it that the path names.
fn refine_attribute(
    attribute: &Attribute,
    path: &ScimPath,
    whole: &Definition,
    part: Option<&Definition>,
) -> Attribute {
    let mut refined = attribute.clone();
    let definition = part.unwrap_or(whole);
    let all = [Some(whole), part];
    let mutability = all.iter().flatten().filter_map(|d| d.mutability);
    // The stricter of the two.
    match mutability.max() {
        Some(ServerMutability::ReadWrite) if !attribute.secret => (refined.create, refined.update) = (true, true),
        Some(ServerMutability::Immutable) => (refined.create, refined.update) = (true, false),
        Some(ServerMutability::ReadOnly) => (refined.create, refined.update) = (false, false),
        _ => {}
    }
    if !attribute.secret {
        refined.read = all.iter().flatten().all(|d| d.shown && d.mutability != Some(ServerMutability::WriteOnly));
    }
    if path.filter.is_none() {
        refined.required |= whole.required && part.is_none_or(|part| part.required);
        refined.unique |= definition.unique;
    }
    let row = table::find(path.urn.as_deref(), &path.dotted_name());
    if table::is_foreign(path) && path.filter.is_none() {
        refined.kind = definition.kind();
        refined.merge = matches!(refined.kind, Kind::Map(_));
    }
    if let Some(case_exact) = definition.case_exact
        && row.is_none_or(|row| row.1 != Is::Shown)
    {
        refined.case_exact = case_exact;
    }
    refined
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
