//! What the words of a status column mean, as data. A word that is not known means nothing by itself: it becomes a
//! question, and whoever is not known to have left keeps the account.

use super::synonyms::{names_in, plain_name};

/// What a status says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sense {
    /// Works here.
    Active,
    /// Has left.
    Inactive,
    /// Is away and will be back; whether the account should rest meanwhile is for a person to say.
    Away,
    /// Does not work here yet.
    NotYet,
    Unknown,
}

const WORDS: &[(Sense, &str)] = &[
    (
        Sense::Active,
        "active | a | employed | current | working | yes | y | true | 1 | enabled | fulltime | parttime | \
         full time | part time | permanent | contractor | regular | temporary | probation | on probation | aktiv | \
         beschäftigt | angestellt | ja | wahr | vollzeit | teilzeit | probezeit | actif | active | en poste | \
         présent | en activité | oui | vrai | cdi | cdd | activo | activa | alta | en activo | sí | vigente | \
         verdadero",
    ),
    (
        Sense::Inactive,
        "inactive | terminated | left | leaver | former | separated | resigned | retired | deceased | dismissed | \
         exited | ended | disabled | discharged | offboarded | laid off | no longer employed | withdrawn | t | i | \
         no | n | false | 0 | inaktiv | ausgetreten | ausgeschieden | austritt | ehemalig | \
         ehemaliger mitarbeiter | verstorben | pensioniert | im ruhestand | rente | entlassen | beendet | \
         deaktiviert | nein | falsch | inactif | sorti | sortie | parti | partie | démissionné | démissionnaire | \
         licencié | licenciée | retraité | retraitée | décédé | terminé | ancien salarié | radié | non | faux | \
         inactivo | inactiva | baja | de baja definitiva | cesado | despedido | jubilado | fallecido | finalizado | \
         exempleado | dado de baja | falso",
    ),
    (
        Sense::Away,
        "leave | on leave | leave of absence | loa | l | unpaid leave | paid leave | parental leave | \
         maternity leave | paternity leave | sick leave | long-term sick | sabbatical | suspended | furlough | \
         furloughed | garden leave | leave with pay | elternzeit | mutterschutz | beurlaubt | karenz | \
         freigestellt | ruhend | abwesend | unbezahlter urlaub | langzeitkrank | congé | en congé | \
         congé parental | congé maternité | suspendu | absent | arrêt maladie | excedencia | de permiso | permiso | \
         licencia | baja médica | baja por maternidad | suspendido",
    ),
    (
        Sense::NotYet,
        "applicant | candidate | pre-hire | prehire | future hire | onboarding | preboarding | pending hire | \
         offer | offer accepted | not started | bewerber | bewerberin | eintritt geplant | candidat | \
         futur salarié | embauche prévue | candidato | futura incorporación | pendiente de alta",
    ),
];

/// What a word of a status column means. Numbers and letters count as words, since many products write codes.
#[must_use]
pub fn sense_of(word: &str) -> Sense {
    let word = plain_name(word);
    let means = |words: &'static str| names_in(words).any(|known| plain_name(known) == word);
    WORDS.iter().find(|(_, words)| means(words)).map_or(Sense::Unknown, |(sense, _)| *sense)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_one_thing_in_every_language() {
        let mut seen = std::collections::BTreeMap::new();
        for (sense, words) in WORDS {
            for word in names_in(words) {
                let earlier = seen.insert(plain_name(word), *sense);
                assert!(earlier.is_none_or(|earlier| earlier == *sense), "{word}: {earlier:?} and {sense:?}");
            }
        }
    }

    #[test]
    fn leavers_are_told_from_those_who_are_away() {
        for word in ["Terminated", "AUSGETRETEN", "Sorti", "baja", "T", "false", "ausgeschieden "] {
            assert_eq!(sense_of(word), Sense::Inactive, "{word}");
        }
        for word in ["On Leave", "Elternzeit", "Congé parental", "Baja médica", "L"] {
            assert_eq!(sense_of(word), Sense::Away, "{word}");
        }
        assert_eq!(sense_of("Applicant"), Sense::NotYet);
        assert_eq!(sense_of("en poste"), Sense::Active);
        assert_eq!(sense_of("Violet"), Sense::Unknown);
        assert_eq!(sense_of(""), Sense::Unknown);
    }
}
