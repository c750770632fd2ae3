//! The attributes of a user and of the enterprise extension, as RFC 7643, section 4, has them.

/// The URN of the core schema of users.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The URN of the enterprise extension.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    /// A text in which case counts.
    Exact,
    Boolean,
    Complex(&'static [Attribute]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    WriteOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub name: &'static str,
    pub kind: Type,
    pub many: bool,
    pub mutability: Mutability,
}

const fn one(name: &'static str, kind: Type) -> Attribute {
    Attribute { name, kind, many: false, mutability: Mutability::ReadWrite }
}

const fn many(name: &'static str, parts: &'static [Attribute]) -> Attribute {
    Attribute { name, kind: Type::Complex(parts), many: true, mutability: Mutability::ReadWrite }
}

const NAME: &[Attribute] = &[
    one("formatted", Type::Text),
    one("familyName", Type::Text),
    one("givenName", Type::Text),
    one("middleName", Type::Text),
    one("honorificPrefix", Type::Text),
    one("honorificSuffix", Type::Text),
];

/// What an element of most multi-valued attributes has.
const ELEMENT: &[Attribute] =
    &[one("value", Type::Text), one("display", Type::Text), one("type", Type::Text), one("primary", Type::Boolean)];

const ADDRESS: &[Attribute] = &[
    one("formatted", Type::Text),
    one("streetAddress", Type::Text),
    one("locality", Type::Text),
    one("region", Type::Text),
    one("postalCode", Type::Text),
    one("country", Type::Text),
    one("type", Type::Text),
    one("primary", Type::Boolean),
];

const MANAGER: &[Attribute] = &[
    one("value", Type::Text),
    one("$ref", Type::Exact),
    Attribute { mutability: Mutability::ReadOnly, ..one("displayName", Type::Text) },
];

/// Of every resource; not in a schema.
pub(super) const COMMON: &[Attribute] = &[
    Attribute { mutability: Mutability::ReadOnly, ..one("id", Type::Exact) },
    one("externalId", Type::Exact),
    Attribute { mutability: Mutability::ReadOnly, ..one("meta", Type::Complex(META)) },
];

const META: &[Attribute] = &[
    one("resourceType", Type::Exact),
    one("created", Type::Text),
    one("lastModified", Type::Text),
    one("location", Type::Exact),
    one("version", Type::Exact),
];

pub(super) const CORE: &[Attribute] = &[
    one("userName", Type::Text),
    one("name", Type::Complex(NAME)),
    one("displayName", Type::Text),
    one("nickName", Type::Text),
    one("profileUrl", Type::Exact),
    one("title", Type::Text),
    one("userType", Type::Text),
    one("preferredLanguage", Type::Text),
    one("locale", Type::Text),
    one("timezone", Type::Text),
    one("active", Type::Boolean),
    Attribute { mutability: Mutability::WriteOnly, ..one("password", Type::Exact) },
    many("emails", ELEMENT),
    many("phoneNumbers", ELEMENT),
    many("ims", ELEMENT),
    many("photos", ELEMENT),
    many("addresses", ADDRESS),
    Attribute { mutability: Mutability::ReadOnly, ..many("groups", ELEMENT) },
    many("entitlements", ELEMENT),
    many("roles", ELEMENT),
    many("x509Certificates", ELEMENT),
];

pub(super) const EXTENSION: &[Attribute] = &[
    one("employeeNumber", Type::Text),
    one("costCenter", Type::Text),
    one("organization", Type::Text),
    one("division", Type::Text),
    one("department", Type::Text),
    one("manager", Type::Complex(MANAGER)),
];

/// An attribute by its name, whose case does not count.
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// An attribute of a user that stands at the top of a resource.
pub(super) fn top(name: &str) -> Option<&'static Attribute> {
    find(CORE, name).or_else(|| find(COMMON, name))
}

impl Attribute {
    pub(super) fn parts(&self) -> &'static [Attribute] {
        match self.kind {
            Type::Complex(parts) => parts,
            Type::Text | Type::Exact | Type::Boolean => &[],
        }
    }
}
