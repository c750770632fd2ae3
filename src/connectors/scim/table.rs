//! The attributes of users in RFC 7643 as data: sections 4.1, 4.3 and 8.7.1. What a server says of itself counts more;
//! see `schema`.

use super::path::{CORE, ENTERPRISE, ScimPath};

/// One attribute, or one part of a complex one: its name, what it is, and what the API allows (`C`, `R`, `U`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AttributeRow(pub &'static str, pub Is, pub &'static str);

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
pub(super) fn find(urn: Option<&str>, dotted: &str) -> Option<&'static AttributeRow> {
    schema_rows(urn)?.iter().find(|row| row.0 == dotted)
}

/// Whether a path is of a schema that this table does not know.
pub(super) fn is_foreign(path: &ScimPath) -> bool {
    schema_rows(path.urn.as_deref()).is_none()
}

fn schema_rows(urn: Option<&str>) -> Option<&'static [AttributeRow]> {
    match urn {
        None => Some(USER),
        Some(urn) if urn.eq_ignore_ascii_case(CORE) => Some(USER),
        Some(urn) if urn.eq_ignore_ascii_case(ENTERPRISE) => Some(MORE),
        Some(_) => None,
    }
}

const USER: &[AttributeRow] = &[
    AttributeRow("id", Is::Id, "R"),
    AttributeRow("externalId", Is::Exact, "CRU"),
    AttributeRow("userName", Is::Login, "CRU"),
    AttributeRow("name", Is::Complex, "CRU"),
    AttributeRow("name.formatted", Is::Shown, "CRU"),
    AttributeRow("name.familyName", Is::Shown, "CRU"),
    AttributeRow("name.givenName", Is::Shown, "CRU"),
    AttributeRow("name.middleName", Is::Shown, "CRU"),
    AttributeRow("name.honorificPrefix", Is::Shown, "CRU"),
    AttributeRow("name.honorificSuffix", Is::Shown, "CRU"),
    AttributeRow("displayName", Is::Shown, "CRU"),
    AttributeRow("nickName", Is::Shown, "CRU"),
    AttributeRow("profileUrl", Is::Exact, "CRU"),
    AttributeRow("title", Is::Shown, "CRU"),
    AttributeRow("userType", Is::Shown, "CRU"),
    AttributeRow("preferredLanguage", Is::Token, "CRU"),
    AttributeRow("locale", Is::Token, "CRU"),
    AttributeRow("timezone", Is::Token, "CRU"),
    AttributeRow("active", Is::Bool, "CRU"),
    // It can be replaced, but nobody can see whether it has to be.
    AttributeRow("password", Is::Secret, "C"),
    AttributeRow("emails", Is::Many, "CRU"),
    AttributeRow("emails.value", Is::Token, "CRU"),
    AttributeRow("emails.display", Is::Shown, "CRU"),
    AttributeRow("emails.type", Is::Token, "CRU"),
    AttributeRow("emails.primary", Is::Bool, "CRU"),
    AttributeRow("phoneNumbers", Is::Many, "CRU"),
    AttributeRow("phoneNumbers.value", Is::Token, "CRU"),
    AttributeRow("phoneNumbers.display", Is::Shown, "CRU"),
    AttributeRow("phoneNumbers.type", Is::Token, "CRU"),
    AttributeRow("phoneNumbers.primary", Is::Bool, "CRU"),
    AttributeRow("ims", Is::Many, "CRU"),
    AttributeRow("ims.value", Is::Token, "CRU"),
    AttributeRow("ims.display", Is::Shown, "CRU"),
    AttributeRow("ims.type", Is::Token, "CRU"),
    AttributeRow("ims.primary", Is::Bool, "CRU"),
    AttributeRow("photos", Is::Many, "CRU"),
    AttributeRow("photos.value", Is::Exact, "CRU"),
    AttributeRow("photos.display", Is::Shown, "CRU"),
    AttributeRow("photos.type", Is::Token, "CRU"),
    AttributeRow("photos.primary", Is::Bool, "CRU"),
    AttributeRow("addresses", Is::Many, "CRU"),
    AttributeRow("addresses.formatted", Is::Shown, "CRU"),
    AttributeRow("addresses.streetAddress", Is::Shown, "CRU"),
    AttributeRow("addresses.locality", Is::Shown, "CRU"),
    AttributeRow("addresses.region", Is::Shown, "CRU"),
    AttributeRow("addresses.postalCode", Is::Shown, "CRU"),
    AttributeRow("addresses.country", Is::Token, "CRU"),
    AttributeRow("addresses.type", Is::Token, "CRU"),
    AttributeRow("addresses.primary", Is::Bool, "CRU"),
    // Membership is changed in the groups.
    AttributeRow("groups", Is::Many, "R"),
    AttributeRow("groups.value", Is::Exact, "R"),
    AttributeRow("groups.display", Is::Shown, "R"),
    AttributeRow("groups.type", Is::Token, "R"),
    AttributeRow("entitlements", Is::Values, "CRU"),
    AttributeRow("entitlements.value", Is::Exact, "CRU"),
    AttributeRow("entitlements.display", Is::Shown, "CRU"),
    AttributeRow("entitlements.type", Is::Token, "CRU"),
    AttributeRow("entitlements.primary", Is::Bool, "CRU"),
    AttributeRow("roles", Is::Values, "CRU"),
    AttributeRow("roles.value", Is::Exact, "CRU"),
    AttributeRow("roles.display", Is::Shown, "CRU"),
    AttributeRow("roles.type", Is::Token, "CRU"),
    AttributeRow("roles.primary", Is::Bool, "CRU"),
    AttributeRow("x509Certificates", Is::Many, "CRU"),
    AttributeRow("x509Certificates.value", Is::Exact, "CRU"),
    AttributeRow("x509Certificates.display", Is::Shown, "CRU"),
    AttributeRow("x509Certificates.type", Is::Token, "CRU"),
    AttributeRow("x509Certificates.primary", Is::Bool, "CRU"),
];

const MORE: &[AttributeRow] = &[
    AttributeRow("employeeNumber", Is::Token, "CRU"),
    AttributeRow("costCenter", Is::Shown, "CRU"),
    AttributeRow("organization", Is::Shown, "CRU"),
    AttributeRow("division", Is::Shown, "CRU"),
    AttributeRow("department", Is::Shown, "CRU"),
    AttributeRow("manager", Is::Complex, "CRU"),
    AttributeRow("manager.value", Is::Exact, "CRU"),
    AttributeRow("manager.$ref", Is::Exact, "CRU"),
    AttributeRow("manager.displayName", Is::Shown, "R"),
];
