//! Links lead somewhere, and every document can be found.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use crate::documents::{all, document, everything, root};

/// Where the links and pictures of a text lead.
fn links(text: &str) -> Vec<String> {
    let plain = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let images = text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    plain.chain(images).map(str::to_owned).collect()
}

/// A path without `..`.
fn resolved(folder: &Path, link: &str) -> String {
    let mut path = folder.to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.to_str().unwrap().to_owned()
}

/// A heading as an address within its page.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_to_a_file_that_is_there_and_to_a_heading_of_it() {
    let mut seen = 0;
    for from in all() {
        let folder = Path::new(&from.name).parent().unwrap().to_owned();
        for link in links(&from.prose()).iter().filter(|link| !link.starts_with("https://")) {
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(file, at)| (file, Some(at)));
            let to = if file.is_empty() { from.name.clone() } else { resolved(&folder, file) };
            assert!(root().join(&to).exists(), "{}: {link} leads to {to}, which is not there", from.name);
            if let Some(heading) = heading {
                let page = document(&to);
                let anchors: Vec<String> = (1..=4).flat_map(|level| page.headings(level)).map(|h| anchor(&h)).collect();
                assert!(anchors.iter().any(|anchor| anchor == heading), "{}: {link}: {to} has {anchors:?}", from.name);
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} links were found");
}

#[test]
fn every_document_is_reached_from_the_readme_within_three_steps() {
    let mut reached = BTreeSet::from(["README.md".to_owned()]);
    for _ in 0..3 {
        for from in reached.clone().into_iter().filter(|name| name.ends_with(".md")) {
            let folder = Path::new(&from).parent().unwrap().to_owned();
            let links = links(&document(&from).prose());
            let local = links.iter().filter(|link| !link.starts_with("https://") && !link.starts_with('#'));
            reached.extend(local.map(|link| resolved(&folder, link.split('#').next().unwrap())));
        }
    }
    for document in everything() {
        assert!(reached.contains(&document.name), "nobody leads to {}", document.name);
    }
}

#[test]
fn every_picture_of_the_report_is_shown_somewhere() {
    let text: String = all().into_iter().map(|document| document.text).collect();
    for entry in std::fs::read_dir(root().join("docs/pictures")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        // On paper it looks as in light colours.
        assert!(!name.starts_with("report-") || name.contains("print") || text.contains(&name), "nobody shows {name}");
    }
}

#[test]
fn anchors_are_made_as_pages_make_them() {
    assert_eq!(anchor("When it stops half-way"), "when-it-stops-half-way");
    assert_eq!(anchor("The error sheet"), "the-error-sheet");
    assert_eq!(anchor("`3111 …`"), "3111-");
}
