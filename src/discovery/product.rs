//! The products that HR exports come from, as data, and which of them an export comes from.

use super::synonyms::{names_in, plain_name};

/// Where an export comes from, as far as its columns tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product(pub &'static str);

/// The product whose columns these are, where enough of them are.
pub(super) fn find_product(columns: &[String]) -> Option<Product> {
    let columns: Vec<String> = columns.iter().map(|name| plain_name(name)).collect();
    let known = |names: &'static str| names_in(names).filter(|name| columns.contains(&plain_name(name))).count();
    let counted = PRODUCTS.iter().map(|(product, names)| (known(names), *product));
    let best = counted.filter(|(count, _)| *count >= 3).max_by_key(|(count, _)| *count)?;
    Some(best.1)
}

/// Columns by which the exports of a product are known. Three of them have to be there.
const PRODUCTS: &[(Product, &str)] = &[
    (
        Product("Workday"),
        "Worker | Worker ID | Worker Status | Worker Type | Business Title | Supervisory Organization | \
         Primary Work Email | Email - Primary Work | Job Profile | Cost Center | Legal Name - First Name | \
         Legal Name - Last Name",
    ),
    (
        Product("SAP SuccessFactors"),
        "USERID | PERSON_ID_EXTERNAL | EMPLSTATUS | CUSTOM01 | CUSTOM02 | DEFAULT_LOCALE | LOGIN_METHOD | \
         HIREDATE | MI | JOBCODE | MATRIX_MANAGER | HR",
    ),
    (
        Product("BambooHR"),
        "Employee # | EEID | Work Email | Reporting to | Supervisor | Hire Date | Employment Status | Division | \
         Preferred Name | Work Ext.",
    ),
    (
        Product("Personio"),
        "Personalnummer | Vorname | Nachname | Abteilung | Büro | Vorgesetzter | Beschäftigungsart | \
         Einstellungsdatum | Vertragsende | Kündigungsdatum | Ende der Probezeit | Wochenstunden | Arbeitsplatz | \
         Subunternehmen",
    ),
    (
        Product("ADP"),
        "Associate ID | File Number | Payroll Name | Position ID | Position Status | Home Department Description | \
         Home Department Code | Job Title Description | Reports To Name | Reports To Associate ID | \
         Work Contact: Work Email | Worker Category Description | Company Code",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_known_by_three_of_its_columns() {
        let product = |names: &[&str]| find_product(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(product(&["Worker", "Worker Status", "Business Title"]), Some(Product("Workday")));
        assert_eq!(product(&["Worker", "Worker Status"]), None);
    }
}
