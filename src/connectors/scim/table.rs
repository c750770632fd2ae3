//! The attributes of users in RFC 7643 as data: sections 4.1, 4.3 and 8.7.1. What a server says of itself counts more;
//! see `schema`.

use super::path::{CORE, ENTERPRISE, Path};

/// One attribute, or one part of a complex one: its name, what it is, and what the API allows (`C`, `R`, `U`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row(pub &'static str, pub Is, pub &'static str);

/// What an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// The name to sign in with: required, unique, the same in any case.
    Login,
    /// The id that the server gives: unique.
    Id,
    /// A text that names something, where the case counts.
    Exact,
    /// A text that names something and means the same in any case.
    Token,
    /// A text for people to read. The RFC lets filters ignore its case, but somebody who corrects "SMITH" to "Smith"
    /// wants it changed, so in comparing its case always counts.
    Shown,
    Bool,
    Secret,
    /// One object with parts.
    Complex,
    /// Many objects with parts.
    Many,
    /// Many objects of which one part, `value`, is all that matters; some servers show texts instead.
    Values,
}

/// The row of the attribute that a path names, or of its part. None for what the RFC does not have.
pub(super) fn find(urn: Option<&str>, dotted: &str) -> Option<&'static Row> {
    rows(urn)?.iter().find(|row| row.0 == dotted)
}

/// Whether a path is of a schema that this table does not know.
pub(super) fn is_foreign(path: &Path) -> bool {
    rows(path.urn.as_deref()).is_none()
}

fn rows(urn: Option<&str>) -> Option<&'static [Row]> {
    match urn {
        None => Some(USER),
        Some(urn) if urn.eq_ignore_ascii_case(CORE) => Some(USER),
        Some(urn) if urn.eq_ignore_ascii_case(ENTERPRISE) => Some(MORE),
        Some(_) => None,
    }
}

const USER: &[Row] = &[
    Row("id", Is::Id, "R"),
    Row("externalId", Is::Exact, "CRU"),
    Row("userName", Is::Login, "CRU"),
    Row("name", Is::Complex, "CRU"),
    Row("name.formatted", Is::Shown, "CRU"),
    Row("name.familyName", Is::Shown, "CRU"),
    Row("name.givenName", Is::Shown, "CRU"),
    Row("name.middleName", Is::Shown, "CRU"),
    Row("name.honorificPrefix", Is::Shown, "CRU"),
    Row("name.honorificSuffix", Is::Shown, "CRU"),
    Row("displayName", Is::Shown, "CRU"),
    Row("nickName", Is::Shown, "CRU"),
    Row("profileUrl", Is::Exact, "CRU"),
    Row("title", Is::Shown, "CRU"),
    Row("userType", Is::Shown, "CRU"),
    Row("preferredLanguage", Is::Token, "CRU"),
    Row("locale", Is::Token, "CRU"),
    Row("timezone", Is::Token, "CRU"),
    Row("active", Is::Bool, "CRU"),
    // It can be replaced, but nobody can see whether it has to be.
    Row("password", Is::Secret, "C"),
    Row("emails", Is::Many, "CRU"),
    Row("emails.value", Is::Token, "CRU"),
    Row("emails.display", Is::Shown, "CRU"),
    Row("emails.type", Is::Token, "CRU"),
    Row("emails.primary", Is::Bool, "CRU"),
    Row("phoneNumbers", Is::Many, "CRU"),
    Row("phoneNumbers.value", Is::Token, "CRU"),
    Row("phoneNumbers.display", Is::Shown, "CRU"),
    Row("phoneNumbers.type", Is::Token, "CRU"),
    Row("phoneNumbers.primary", Is::Bool, "CRU"),
    Row("ims", Is::Many, "CRU"),
    Row("ims.value", Is::Token, "CRU"),
    Row("ims.display", Is::Shown, "CRU"),
    Row("ims.type", Is::Token, "CRU"),
    Row("ims.primary", Is::Bool, "CRU"),
    Row("photos", Is::Many, "CRU"),
    Row("photos.value", Is::Exact, "CRU"),
    Row("photos.display", Is::Shown, "CRU"),
    Row("photos.type", Is::Token, "CRU"),
    Row("photos.primary", Is::Bool, "CRU"),
    Row("addresses", Is::Many, "CRU"),
    Row("addresses.formatted", Is::Shown, "CRU"),
    Row("addresses.streetAddress", Is::Shown, "CRU"),
    Row("addresses.locality", Is::Shown, "CRU"),
    Row("addresses.region", Is::Shown, "CRU"),
    Row("addresses.postalCode", Is::Shown, "CRU"),
    Row("addresses.country", Is::Token, "CRU"),
    Row("addresses.type", Is::Token, "CRU"),
    Row("addresses.primary", Is::Bool, "CRU"),
    // Membership is changed in the groups.
    Row("groups", Is::Many, "R"),
    Row("groups.value", Is::Exact, "R"),
    Row("groups.display", Is::Shown, "R"),
    Row("groups.type", Is::Token, "R"),
    Row("entitlements", Is::Values, "CRU"),
    Row("entitlements.value", Is::Exact, "CRU"),
    Row("entitlements.display", Is::Shown, "CRU"),
    Row("entitlements.type", Is::Token, "CRU"),
    Row("entitlements.primary", Is::Bool, "CRU"),
    Row("roles", Is::Values, "CRU"),
    Row("roles.value", Is::Exact, "CRU"),
    Row("roles.display", Is::Shown, "CRU"),
    Row("roles.type", Is::Token, "CRU"),
    Row("roles.primary", Is::Bool, "CRU"),
    Row("x509Certificates", Is::Many, "CRU"),
    Row("x509Certificates.value", Is::Exact, "CRU"),
    Row("x509Certificates.display", Is::Shown, "CRU"),
    Row("x509Certificates.type", Is::Token, "CRU"),
    Row("x509Certificates.primary", Is::Bool, "CRU"),
];

const MORE: &[Row] = &[
    Row("employeeNumber", Is::Token, "CRU"),
    Row("costCenter", Is::Shown, "CRU"),
    Row("organization", Is::Shown, "CRU"),
    Row("division", Is::Shown, "CRU"),
    Row("department", Is::Shown, "CRU"),
    Row("manager", Is::Complex, "CRU"),
    Row("manager.value", Is::Exact, "CRU"),
    Row("manager.$ref", Is::Exact, "CRU"),
    Row("manager.displayName", Is::Shown, "R"),
];
