//! The usual names of columns, as data: what a column means is mostly said by its name, in the words of the products
//! that HR exports come from and in English, German, French and Spanish.
//!
//! Names are compared without case, accents, blanks and signs. In each list the name that says most comes first: of two
//! columns that mean the same, the one whose name stands further up is taken.

use super::meaning::Meaning;

/// A meaning and the names that columns of it have.
pub(super) type Synonyms = (Meaning, &'static str);

/// The names of a list, which have bars between them.
pub(super) fn names_in(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(" | ")
}

/// Every meaning with its names; the order is that in which meanings are shown.
pub(super) const SYNONYMS: &[Synonyms] = &[
    (
        Meaning::Identity,
        "Employee ID | Worker ID | Person ID | Person ID External | Associate ID | Employee # | Employee Number | \
         Employee No | Emp ID | EmplID | EmpNo | EEID | User ID | Personnel Number | Personnel No | Staff ID | \
         Staff Number | Person Number | File Number | Payroll ID | Badge Number | External ID | UUID | HR ID | \
         Account | ID | Personalnummer | Personal-Nr. | Pers.-Nr. | PersNr | PERNR | Mitarbeiternummer | \
         Mitarbeiter-ID | Mitarbeiter-Nr. | MA-Nummer | Stammnummer | Matricule | Numéro de matricule | \
         Matricule salarié | ID employé | Identifiant salarié | Numéro d'employé | Número de empleado | \
         N.º de empleado | ID de empleado | ID empleado | Código de empleado | Legajo | Número de legajo | \
         Position ID",
    ),
    (
        Meaning::Login,
        "Login | Login ID | Login Name | Username | User Name | sAMAccountName | Network ID | Windows Login | \
         AD Login | Benutzername | Benutzerkennung | Anmeldename | Kürzel | Nom d'utilisateur | \
         Identifiant de connexion | Nombre de usuario | Usuario",
    ),
    (
        Meaning::Email,
        "Work Email | Primary Work Email | Email - Primary Work | Work Contact: Work Email | \
         Work Contact Work Email | Business Email | Company Email | Corporate Email | Work Email Address | \
         Business Email Address | Email Work | Email Address - Work | userPrincipalName | UPN | Email ID | Email | \
         E-mail Address | Email Address | Mail | Primary Email | Dienstliche E-Mail | E-Mail dienstlich | \
         E-Mail (dienstlich) | E-Mail geschäftlich | Geschäftliche E-Mail | Firmen-E-Mail | E-Mail-Adresse | \
         Mailadresse | Adresse e-mail professionnelle | E-mail professionnel | Email professionnel | \
         Adresse email | Adresse e-mail | Adresse électronique | Courriel professionnel | Courriel | \
         Correo electrónico corporativo | Correo corporativo | Correo de trabajo | Email corporativo | \
         Correo electrónico | Correo",
    ),
    (
        Meaning::FirstName,
        "First Name | Legal First Name | Legal Name - First Name | Given Name | Forename | Preferred First Name | \
         Preferred Name - First Name | FName | Vorname | Rufname | Prénom | Prénom usuel | Nombre | Nombres | \
         Primer nombre",
    ),
    (
        Meaning::LastName,
        "Last Name | Legal Last Name | Legal Name - Last Name | Surname | Family Name | Preferred Last Name | \
         Preferred Name - Last Name | LName | Nachname | Familienname | Zuname | Nom de famille | Nom d'usage | \
         Nom | Apellidos | Apellido | Primer apellido",
    ),
    (
        Meaning::FullName,
        "Full Name | Name | Employee Name | Worker | Worker Name | Employee | Display Name | Payroll Name | \
         Preferred Name | Legal Name | Formatted Name | Vollständiger Name | Mitarbeiter | Name, Vorname | \
         Nachname, Vorname | Nom complet | Nom et prénom | Nom Prénom | Salarié | Nombre completo | \
         Apellidos y nombre | Apellidos, nombre | Nombre y apellidos | Empleado",
    ),
    (
        Meaning::Title,
        "Job Title | Business Title | Job Title Description | Position Title | Title | Job | Job Profile | \
         Position | Job Description | Role Title | Stelle | Stellenbezeichnung | Positionsbezeichnung | \
         Berufsbezeichnung | Tätigkeit | Funktion | Poste | Intitulé du poste | Intitulé de poste | Fonction | \
         Emploi | Puesto | Puesto de trabajo | Cargo | Título del puesto",
    ),
    (Meaning::Team, "Team | Team Name | Squad | Queue | Group | Teamname | Gruppe | Équipe | Nom de l'équipe | Equipo"),
    (
        Meaning::Department,
        "Department | Department Name | Home Department Description | Supervisory Organization | Org Unit | \
         Organizational Unit | Dept | Abteilung | Organisationseinheit | Département | Service | Departamento | Área",
    ),
    (
        Meaning::Division,
        "Division | Business Unit | Business Unit Description | Bereich | Geschäftsbereich | Direction | División",
    ),
    (
        Meaning::CostCenter,
        "Cost Center | Cost Centre | Kostenstelle | Centre de coûts | Centro de coste | Centro de costos",
    ),
    (
        Meaning::Role,
        "Role | User Role | Application Role | Access Role | Rolle | Benutzerrolle | Rôle | Rol | Rol de usuario",
    ),
    (
        Meaning::Status,
        "Status | Employee Status | Worker Status | Employment Status | Position Status | Emplstatus | \
         Active Status | Employee Status Description | Active | Is Active | Currently Active | Mitarbeiterstatus | \
         Beschäftigungsstatus | Aktiv | Statut | Statut du salarié | Situation | Actif | Estado | \
         Estado del empleado | Estatus | Situación laboral | Activo",
    ),
    (
        Meaning::End,
        "Termination Date | Last Day of Work | Last Working Day | End Date | Contract End Date | Leave Date | \
         Date of Leaving | Exit Date | Separation Date | Austrittsdatum | Austritt | Letzter Arbeitstag | \
         Kündigungsdatum | Vertragsende | Date de sortie | Date de départ | Date de fin | Fin de contrat | \
         Fecha de baja | Fecha de salida | Fecha de fin",
    ),
    (Meaning::Skills, "Skills | Skill Attributes | Languages | Fähigkeiten | Kenntnisse | Compétences | Habilidades"),
    (
        Meaning::WorkPhone,
        "Work Phone | Business Phone | Office Phone | Primary Work Phone | Work Contact: Work Phone | \
         Telefon dienstlich | Telefon (dienstlich) | Téléphone professionnel | Teléfono de trabajo | \
         Teléfono corporativo | Phone | Phone Number | Telefon | Telefonnummer | Téléphone | Teléfono",
    ),
    (
        Meaning::MobilePhone,
        "Work Mobile | Mobile Phone | Mobile | Cell Phone | Work Contact: Work Mobile | Mobil | Handy | \
         Mobiltelefon | Téléphone portable | Portable | Móvil | Teléfono móvil",
    ),
    (
        Meaning::Extension,
        "Extension | Phone Extension | Work Ext. | Work Extension | Durchwahl | Poste téléphonique | Extensión",
    ),
];

/// A name without case, accents, blanks and signs. A sign for "number" is spelt out, since it may be all that a name
/// says.
pub(super) fn plain_name(name: &str) -> String {
    let name = name.replace(['#', '№'], "number").replace(['°', 'º'], "");
    let ascii = deunicode::deunicode_with_tofu(&name, "");
    ascii.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The meanings that a column of this name may have, each with the place of the name in its list: the lower, the more
/// it says.
pub(super) fn meanings_of(name: &str) -> Vec<(Meaning, usize)> {
    let name = plain_name(name);
    let place = |(meaning, names): &Synonyms| {
        let at = names_in(names).position(|usual| plain_name(usual) == name)?;
        Some((*meaning, at))
    };
    if name.is_empty() { Vec::new() } else { SYNONYMS.iter().filter_map(place).collect() }
}

/// Whether exports have columns of this name.
#[must_use]
pub fn is_usual_name(name: &str) -> bool {
    !meanings_of(name).is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_name_stands_once_in_its_list_and_the_same_name_means_one_thing() {
        let mut seen: BTreeMap<String, Meaning> = BTreeMap::new();
        for (meaning, names) in SYNONYMS {
            for name in names_in(names) {
                assert!(!plain_name(name).is_empty(), "{name}");
                let earlier = seen.insert(plain_name(name), *meaning);
                // Some names are written in two ways that come to the same.
                assert!(earlier.is_none_or(|earlier| earlier == *meaning), "{name}: {earlier:?} and {meaning:?}");
            }
        }
        assert!(seen.len() > 250, "{}", seen.len());
    }

    #[test]
    fn case_accents_blanks_and_signs_of_a_name_do_not_matter() {
        let only = |name: &str| meanings_of(name).first().map(|(meaning, _)| *meaning);
        assert_eq!(only("EMPLOYEE_ID"), Some(Meaning::Identity));
        assert_eq!(only("employee #"), Some(Meaning::Identity));
        assert_eq!(only("prenom"), Some(Meaning::FirstName));
        assert_eq!(only("E-Mail (Dienstlich)"), Some(Meaning::Email));
        assert_eq!(only("Número de empleado"), Some(Meaning::Identity));
        assert_eq!(only("favourite colour"), None);
        assert_eq!(only("---"), None);
    }
}
