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
    Complex(&'static [ScimUserAttribute]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserAttributeMutability {
    ReadWrite,
    ReadOnly,
    WriteOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScimUserAttribute {
    pub name: &'static str,
    pub kind: Type,
    pub many: bool,
    pub mutability: UserAttributeMutability,
}

const fn single_valued(name: &'static str, kind: Type) -> ScimUserAttribute {
    ScimUserAttribute { name, kind, many: false, mutability: UserAttributeMutability::ReadWrite }
}

const fn multi_valued(name: &'static str, parts: &'static [ScimUserAttribute]) -> ScimUserAttribute {
    ScimUserAttribute { name, kind: Type::Complex(parts), many: true, mutability: UserAttributeMutability::ReadWrite }
}

const NAME: &[ScimUserAttribute] = &[
    single_valued("formatted", Type::Text),
    single_valued("familyName", Type::Text),
    single_valued("givenName", Type::Text),
    single_valued("middleName", Type::Text),
    single_valued("honorificPrefix", Type::Text),
    single_valued("honorificSuffix", Type::Text),
];

/// What an element of most multi-valued attributes has.
const ELEMENT: &[ScimUserAttribute] = &[
    single_valued("value", Type::Text),
    single_valued("display", Type::Text),
    single_valued("type", Type::Text),
    single_valued("primary", Type::Boolean),
];

const ADDRESS: &[ScimUserAttribute] = &[
    single_valued("formatted", Type::Text),
    single_valued("streetAddress", Type::Text),
    single_valued("locality", Type::Text),
    single_valued("region", Type::Text),
    single_valued("postalCode", Type::Text),
    single_valued("country", Type::Text),
    single_valued("type", Type::Text),
    single_valued("primary", Type::Boolean),
];

const MANAGER: &[ScimUserAttribute] = &[
    single_valued("value", Type::Text),
    single_valued("$ref", Type::Exact),
    ScimUserAttribute { mutability: UserAttributeMutability::ReadOnly, ..single_valued("displayName", Type::Text) },
];

/// Of every resource; not in a schema.
pub(super) const COMMON: &[ScimUserAttribute] = &[
    ScimUserAttribute { mutability: UserAttributeMutability::ReadOnly, ..single_valued("id", Type::Exact) },
    single_valued("externalId", Type::Exact),
    ScimUserAttribute { mutability: UserAttributeMutability::ReadOnly, ..single_valued("meta", Type::Complex(META)) },
];

const META: &[ScimUserAttribute] = &[
    single_valued("resourceType", Type::Exact),
    single_valued("created", Type::Text),
    single_valued("lastModified", Type::Text),
    single_valued("location", Type::Exact),
    single_valued("version", Type::Exact),
];

pub(super) const CORE: &[ScimUserAttribute] = &[
    single_valued("userName", Type::Text),
    single_valued("name", Type::Complex(NAME)),
    single_valued("displayName", Type::Text),
    single_valued("nickName", Type::Text),
    single_valued("profileUrl", Type::Exact),
    single_valued("title", Type::Text),
    single_valued("userType", Type::Text),
    single_valued("preferredLanguage", Type::Text),
    single_valued("locale", Type::Text),
    single_valued("timezone", Type::Text),
    single_valued("active", Type::Boolean),
    ScimUserAttribute { mutability: UserAttributeMutability::WriteOnly, ..single_valued("password", Type::Exact) },
    multi_valued("emails", ELEMENT),
    multi_valued("phoneNumbers", ELEMENT),
    multi_valued("ims", ELEMENT),
    multi_valued("photos", ELEMENT),
    multi_valued("addresses", ADDRESS),
    ScimUserAttribute { mutability: UserAttributeMutability::ReadOnly, ..multi_valued("groups", ELEMENT) },
    multi_valued("entitlements", ELEMENT),
    multi_valued("roles", ELEMENT),
    multi_valued("x509Certificates", ELEMENT),
];

pub(super) const EXTENSION: &[ScimUserAttribute] = &[
    single_valued("employeeNumber", Type::Text),
    single_valued("costCenter", Type::Text),
    single_valued("organization", Type::Text),
    single_valued("division", Type::Text),
    single_valued("department", Type::Text),
    single_valued("manager", Type::Complex(MANAGER)),
];

/// An attribute by its name, whose case does not count.
pub(super) fn find(attributes: &'static [ScimUserAttribute], name: &str) -> Option<&'static ScimUserAttribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// An attribute of a user that stands at the top of a resource.
pub(super) fn top_attribute(name: &str) -> Option<&'static ScimUserAttribute> {
    find(CORE, name).or_else(|| find(COMMON, name))
}

impl ScimUserAttribute {
    pub(super) fn parts(&self) -> &'static [ScimUserAttribute] {
        match self.kind {
            Type::Complex(parts) => parts,
            Type::Text | Type::Exact | Type::Boolean => &[],
        }
    }
}
