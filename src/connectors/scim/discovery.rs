//! What a server says of itself (RFC 7644, section 4): `ServiceProviderConfig`, `ResourceTypes` and `Schemas`. Each may
//! be missing, and none is believed to the letter: what it announces and then refuses is mended where it is used.

use reqwest::Url;
use serde_json::{Map, Value as Json};

use super::path::{CORE, ScimPath, find_member};
use crate::model::Kind;

/// What the server can do. None where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    pub patch: Option<bool>,
    pub etag: Option<bool>,
    pub filter: Option<bool>,
    /// Whether listings go from cursor to cursor (RFC 9865).
    pub cursor: bool,
    /// The most accounts that a page can have.
    pub page_size: Option<u64>,
}

/// The attributes that the server's schemas define.
#[derive(Clone, Debug, Default)]
pub(super) struct Definitions(Vec<(String, Vec<Definition>)>);

/// One attribute as the server defines it.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    name: String,
    kind: String,
    many: bool,
    pub required: bool,
    pub case_exact: Option<bool>,
    pub mutability: Option<ServerMutability>,
    /// Shown in every answer, without being asked for.
    pub shown: bool,
    pub unique: bool,
    parts: Vec<Definition>,
}

/// From the freest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ServerMutability {
    ReadWrite,
    WriteOnly,
    Immutable,
    ReadOnly,
}

/// Reads a ServiceProviderConfig.
pub(super) fn read_abilities(config: &Json) -> Abilities {
    let feature =
        |name: &str| config.as_object().and_then(|config| find_member(config, name)).and_then(Json::as_object);
    let supported = |name: &str| read_flag(find_member(feature(name)?, "supported")?);
    let paging = feature("pagination");
    let number =
        |of: Option<&Map<String, Json>>, name: &str| of.and_then(|of| find_member(of, name)).and_then(Json::as_u64);
    let sizes = [number(feature("filter"), "maxResults"), number(paging, "maxPageSize")];
    Abilities {
        patch: supported("patch"),
        etag: supported("etag"),
        filter: supported("filter"),
        cursor: paging.and_then(|paging| read_flag(find_member(paging, "cursor")?)).unwrap_or(false),
        page_size: sizes.into_iter().flatten().filter(|size| *size > 0).min(),
    }
}

/// The path of the users beneath the base address, as ResourceTypes names it.
pub(super) fn find_endpoint(types: &Json, base_url: &str) -> Option<String> {
    let is_user = |kind: &&Map<String, Json>| {
        let says = |name: &str, text: &str| {
            find_member(kind, name).and_then(Json::as_str).is_some_and(|said| said.eq_ignore_ascii_case(text))
        };
        says("schema", CORE) || says("id", "User") || says("name", "User")
    };
    let kind = listed_items(types).filter_map(Json::as_object).find(is_user)?;
    let endpoint = find_member(kind, "endpoint")?.as_str()?.trim();
    let base = Url::parse(base_url).ok()?;
    let path = match Url::parse(endpoint) {
        // An address elsewhere is not followed: the credentials are for this server.
        Ok(url) if url.origin() == base.origin() => url.path().to_owned(),
        Ok(_) => return None,
        Err(_) => endpoint.to_owned(),
    };
    let beneath = path.strip_prefix(base.path().trim_end_matches('/')).filter(|rest| rest.starts_with('/'));
    let path = beneath.unwrap_or(&path).trim_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~' | '%');
    (!path.is_empty() && path.chars().all(plain)).then(|| format!("/{path}"))
}

/// Reads Schemas.
pub(super) fn read_definitions(schemas: &Json) -> Definitions {
    let read = |schema: &Json| {
        let schema = schema.as_object()?;
        Some((find_member(schema, "id")?.as_str()?.to_owned(), read_attributes(find_member(schema, "attributes")?)))
    };
    Definitions(listed_items(schemas).filter_map(read).collect())
}

impl Definitions {
    /// The definition of an attribute, and of the part of it that the path names.
    pub fn find(&self, path: &ScimPath) -> Option<(&Definition, Option<&Definition>)> {
        let urn = path.urn.as_deref().unwrap_or(CORE);
        let (_, attributes) = self.0.iter().find(|(id, _)| id.eq_ignore_ascii_case(urn))?;
        let named = |of: &'_ [Definition], name: &str| of.iter().position(|d| d.name.eq_ignore_ascii_case(name));
        let whole = &attributes[named(attributes, &path.name)?];
        match &path.part {
            None => Some((whole, None)),
            Some(part) => Some((whole, Some(&whole.parts[named(&whole.parts, part)?]))),
        }
    }
}

impl Definition {
    /// What values an attribute of an extension holds.
    pub fn kind(&self) -> Kind {
        let one = match self.kind.to_ascii_lowercase().as_str() {
            "boolean" => Kind::Bool,
            "integer" => Kind::Int,
            "decimal" => Kind::Any,
            "datetime" => Kind::DateTime,
            "complex" if self.many => Kind::Json,
            "complex" => Kind::Map(Box::new(Kind::Any)),
            _ => Kind::Text,
        };
        if self.many { Kind::List(Box::new(one)) } else { one }
    }
}

fn read_attributes(list: &Json) -> Vec<Definition> {
    list.as_array().into_iter().flatten().filter_map(Json::as_object).filter_map(read_definition).collect()
}

fn read_definition(object: &Map<String, Json>) -> Option<Definition> {
    let text = |name: &str| find_member(object, name).and_then(Json::as_str).map(str::to_ascii_lowercase);
    let yes = |name: &str| find_member(object, name).and_then(read_flag);
    Some(Definition {
        name: find_member(object, "name")?.as_str()?.to_owned(),
        kind: text("type").unwrap_or_default(),
        many: yes("multiValued").unwrap_or(false),
        required: yes("required").unwrap_or(false),
        case_exact: yes("caseExact"),
        mutability: text("mutability").and_then(|text| {
            Some(match text.as_str() {
                "readwrite" => ServerMutability::ReadWrite,
                "writeonly" => ServerMutability::WriteOnly,
                "immutable" => ServerMutability::Immutable,
                "readonly" => ServerMutability::ReadOnly,
                _ => return None,
            })
        }),
        shown: !matches!(text("returned").as_deref(), Some("never" | "request")),
        unique: matches!(text("uniqueness").as_deref(), Some("server" | "global")),
        parts: find_member(object, "subAttributes").map(read_attributes).unwrap_or_default(),
    })
}

/// The resources of a list, which some servers send without the list's frame, and one alone without any.
fn listed_items(answer: &Json) -> impl Iterator<Item = &Json> {
    let inner = answer.as_object().and_then(|object| find_member(object, "Resources")).unwrap_or(answer);
    match inner {
        Json::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}

/// A boolean, which may come as a text.
fn read_flag(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        Json::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Json::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
mod tests;
