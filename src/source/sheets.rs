//! Ods files cell by cell, and what both kinds of workbook have in common: merged cells, bounds, archives that lie.

use std::io::{Cursor, Write as _};

use rust_xlsxwriter::{Format as Style, Workbook};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::formats::{fault_of, read_as, rows, with_entry, workbook};
use super::*;

/// An archive of these entries.
fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const MIME: (&str, &str) = ("mimetype", "application/vnd.oasis.opendocument.spreadsheet");
const MANIFEST: (&str, &str) = ("META-INF/manifest.xml", "<manifest:manifest/>");

/// An ods file with this between the beginning and the end of its content.
fn document(inside: &str) -> Vec<u8> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-content>{inside}</office:document-content>\n"
    );
    archive(&[MIME, MANIFEST, ("content.xml", &body)])
}

fn sheets(tables: &str) -> Vec<u8> {
    document(&format!("<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"))
}

/// An ods file whose only sheet has these rows.
fn ods(rows: &str) -> Vec<u8> {
    sheets(&format!("<table:table table:name=\"People\"><table:table-column/>{rows}</table:table>"))
}

fn row(cells: &[String]) -> String {
    format!("<table:table-row>{}</table:table-row>", cells.concat())
}

/// A cell with these attributes, which shows this.
fn cell(attributes: &str, text: &str) -> String {
    format!("<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>")
}

fn text(text: &str) -> String {
    cell("office:value-type=\"string\"", text)
}

fn texts(texts: &[&str]) -> String {
    row(&texts.iter().map(|shown| text(shown)).collect::<Vec<_>>())
}

/// What a sheet of one column with this cell reads as.
fn value(cell: &str) -> String {
    let bytes = ods(&(texts(&["id", "x"]) + &row(&[text("1"), cell.to_owned()])));
    let pass = read_as("hr.ods", bytes, |_| {}).unwrap();
    assert_eq!(pass.bad, [], "{cell}");
    rows(&pass)[0].strip_prefix("2: 1|").unwrap().to_owned()
}

#[test]
fn an_ods_file_gives_what_people_see_in_it() {
    for (attributes, shown, expected) in [
        ("string", "00123", "00123"),
        ("float\" office:value=\"123", "00123", "00123"),
        ("float\" office:value=\"123", "123", "123"),
        ("float\" office:value=\"12.5", "12,50", "12.5"),
        ("float\" office:value=\"1234", "1.234", "1234"),
        ("float\" office:value=\"78051120", "078-05-1120", "078-05-1120"),
        ("currency\" office:currency=\"EUR\" office:value=\"1234.5", "1.234,50 €", "1234.5"),
        ("currency\" office:currency=\"EUR\" office:value=\"12", "12 €", "12"),
        ("percentage\" office:value=\"0.5", "50%", "0.5"),
        ("boolean\" office:boolean-value=\"true", "WAHR", "TRUE"),
        ("boolean\" office:boolean-value=\"false", "FALSCH", "FALSE"),
        ("date\" office:date-value=\"2024-04-03", "03.04.24", "2024-04-03"),
        ("date\" office:date-value=\"2024-04-03T00:00:00", "4/3/24", "2024-04-03"),
        ("date\" office:date-value=\"2024-04-03T08:30:00", "03.04.24 08:30", "2024-04-03T08:30:00"),
        ("time\" office:time-value=\"PT08H30M00S", "08:30", "08:30:00"),
        ("string\" office:string-value=\"a &amp; b", "shown otherwise", "a & b"),
        ("float", "17", "17"),
    ] {
        assert_eq!(value(&cell(&format!("office:value-type=\"{attributes}\""), shown)), expected, "{shown}");
    }
    assert_eq!(value(&cell("", "no type")), "no type");
    assert_eq!(value("<table:table-cell/>"), "");
}

#[test]
fn a_formula_counts_by_its_value_and_one_without_a_value_spoils_its_row() {
    let formula = "table:formula=\"of:=[.A1]\"";
    let sum = |attributes: &str, shown: &str| cell(&format!("{formula} {attributes}"), shown);
    assert_eq!(value(&sum("office:value-type=\"float\" office:value=\"42\"", "42")), "42");
    assert_eq!(value(&text("#N/A")), "#N/A", "somebody has typed it");
    for (attributes, shown) in [
        ("office:value-type=\"string\" office:string-value=\"\" calcext:value-type=\"error\"", "#N/A"),
        ("office:value-type=\"float\" office:value=\"0\"", "#DIV/0!"),
        ("office:value-type=\"string\"", "Err:502"),
    ] {
        let bytes = ods(&(texts(&["id", "team"]) + &row(&[text("1"), sum(attributes, shown)]) + &texts(&["2", "Ops"])));
        let pass = read_as("hr.ods", bytes, |_| {}).unwrap();
        assert_eq!(pass.bad, [(2, format!("cell B2 (team) holds {shown}"))]);
        assert_eq!(rows(&pass), ["3: 2|Ops"]);
    }
}

#[test]
fn the_text_of_a_cell_is_that_of_its_paragraphs() {
    let string = |inside: &str| format!("<table:table-cell office:value-type=\"string\">{inside}</table:table-cell>");
    for (inside, expected) in [
        ("<text:p>Ana</text:p><text:p>Diaz</text:p>", "Ana\nDiaz"),
        ("<text:p>  a \n\t b</text:p>", "a b"),
        ("<text:p>a<text:s text:c=\"3\"/>b<text:tab/>c<text:line-break/>d</text:p>", "a   b\tc\nd"),
        ("<text:p><text:s/>a <text:s/>b</text:p>", " a  b"),
        ("<text:p>x<text:span>y</text:span> <text:a xlink:href=\"mailto:a\">a@x.org</text:a></text:p>", "xy a@x.org"),
        ("<text:p>&lt;R&amp;D&gt; &#233;&#x20AC;</text:p>", "<R&D> é€"),
        ("<office:annotation><text:p>a note</text:p></office:annotation><text:p>a</text:p>", "a"),
        ("<text:p>a<office:annotation><text:p>no</text:p></office:annotation>b</text:p>", "ab"),
        ("<draw:frame><draw:text-box><text:p>no</text:p></draw:text-box></draw:frame><text:p>a</text:p>", "a"),
        (
            "<text:p>日<text:ruby><text:ruby-base>本</text:ruby-base><text:ruby-text>ほん</text:ruby-text></text:ruby></text:p>",
            "日本",
        ),
        ("<text:p>a<!-- no -->b<![CDATA[<c>]]></text:p>", "ab<c>"),
    ] {
        assert_eq!(value(&string(inside)), expected, "{inside}");
    }
}

#[test]
fn cells_and_rows_that_are_repeated_stand_as_often_as_they_say() {
    let blank = |count: u32| format!("<table:table-cell table:number-columns-repeated=\"{count}\"/>");
    let rows_of = |count: u32, cells: &str| {
        format!("<table:table-row table:number-rows-repeated=\"{count}\">{cells}</table:table-row>")
    };
    let twice = cell("office:value-type=\"string\" table:number-columns-repeated=\"2\"", "x");
    let content = [
        rows_of(2, &blank(16_384)),
        texts(&["id", "a", "b", "c"]),
        row(&[text("1"), blank(1), twice.clone()]),
        rows_of(3, &blank(16_384)),
        rows_of(2, &format!("{}{twice}{}", text("2"), blank(16_380))),
        format!(
            "<table:table-row-group><table:table-header-rows>{}</table:table-header-rows></table:table-row-group>",
            texts(&["3"])
        ),
        rows_of(1_048_566, &blank(16_384)),
    ];
    let pass = read_as("hr.ods", ods(&content.concat()), |_| {}).unwrap();
    assert_eq!(rows(&pass), ["4: 1||x|x", "8: 2|x|x|", "9: 2|x|x|", "10: 3|||"]);
    assert_eq!(pass.blank, 0);
    let below = format!("{}{}{}", texts(&["id"]), rows_of(1_048_575, ""), texts(&["1"]));
    assert_eq!(fault_of("hr.ods", ods(&below)), Fault::Workbook("cell A1048577 is outside the sheet".into()));
}

#[test]
fn merged_cells_are_the_same_in_both_kinds() {
    let merged = |rows: u32, columns: u32| {
        cell(
            &format!(
                "office:value-type=\"string\" table:number-rows-spanned=\"{rows}\" \
                 table:number-columns-spanned=\"{columns}\""
            ),
            "both",
        )
    };
    let covered =
        "<table:covered-table-cell office:value-type=\"string\"><text:p>hidden</text:p></table:covered-table-cell>"
            .to_owned();
    let header = row(&[text("a0"), merged(1, 2), covered.clone()]);
    let of_ods = |first: &str| read_as("hr.ods", ods(&[first, &texts(&["a1", "b1"])].concat()), |_| {});
    let of_xlsx = |first: u32, last: u32| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for row in 0..6 {
            sheet.write_string(row, 0, format!("a{row}")).unwrap().write_string(row, 1, format!("b{row}")).unwrap();
        }
        sheet.merge_range(first, 1, last, 2, "both", &Style::new()).unwrap();
        read_as("hr.xlsx", book.save_to_buffer().unwrap(), |_| {})
    };
    for error in [of_ods(&header).unwrap_err(), of_xlsx(0, 0).unwrap_err()] {
        assert_eq!((error.line, &error.fault), (Some(1), &Fault::MergedHeader { cells: "B1:C1".into() }));
        let said = error.to_string();
        assert!(
            said.ends_with(":1: the header has merged cells (B1:C1), so not every column has its own name"),
            "{said}"
        );
        assert!(error.hint().unwrap().contains("source.header_row"));
    }
    let content = [
        texts(&["a0", "b0"]),
        texts(&["a1", "b1"]),
        row(&[text("a2"), merged(2, 2), covered.clone()]),
        row(&[text("a3"), covered.clone(), covered.clone()]),
        texts(&["a4", "b4"]),
        texts(&["a5", "b5"]),
    ];
    for pass in [read_as("hr.ods", ods(&content.concat()), |_| {}).unwrap(), of_xlsx(2, 3).unwrap()] {
        assert_eq!(rows(&pass), ["2: a1|b1", "5: a4|b4", "6: a5|b5"]);
        let message = "the row has merged cells (B3:C4): only one has a value".to_owned();
        assert_eq!(pass.bad, [(3, message.clone()), (4, message)]);
    }
    let titled =
        [row(&[merged(1, 3), covered.clone(), covered]), texts(&["id", "name"]), texts(&["1", "Ana"])].concat();
    let pass = read_as("hr.ods", ods(&titled), |settings| settings.header_row = 2).unwrap();
    assert_eq!(rows(&pass), ["3: 1|Ana"]);
}

#[test]
fn of_several_sheets_one_is_named_and_hidden_ones_are_never_guessed() {
    let table = |name: &str, style: &str| {
        format!(
            "<table:table table:name=\"{name}\" table:style-name=\"{style}\">{}{}</table:table>",
            texts(&[name]),
            texts(&["x"])
        )
    };
    let styles = "<office:automatic-styles><style:style style:name=\"ta1\"><style:table-properties table:display=\"true\"/>\
                  </style:style><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/></style:style>\
                  </office:automatic-styles>";
    let of = |tables: &[String]| {
        document(&format!(
            "<office:scripts/>{styles}<office:body><office:spreadsheet><table:calculation-settings/>{}\
             </office:spreadsheet></office:body>",
            tables.concat()
        ))
    };
    let one = of(&[table("Old", "ta2"), table("R&amp;D", "ta1")]);
    let folder = tempfile::TempDir::new().unwrap();
    let source = super::formats::open_as(&folder, "hr.ods", &one, |_| {}).unwrap();
    assert_eq!(source.columns().names(), ["R&D"]);
    let two = of(&[table("Old", "ta2"), table("Notes", "ta1"), table("People", "ta1")]);
    let named = |name: &str| read_as("hr.ods", &two, |settings| settings.sheet = Some(name.to_owned()));
    assert_eq!(rows(&named("People").unwrap()), ["2: x"]);
    assert_eq!(rows(&named("Old").unwrap()), ["2: x"]);
    let error = named("people").unwrap_err();
    assert!(
        error.to_string().ends_with("there is no sheet \"people\"; there is \"Old\", \"Notes\", \"People\""),
        "{error}"
    );
    assert_eq!(fault_of("hr.ods", &two), Fault::WhichSheet { sheets: vec!["Notes".into(), "People".into()] });
    let hidden = of(&[table("Old", "ta2")]);
    assert_eq!(fault_of("hr.ods", hidden), Fault::Workbook("it has no sheet that can be seen".into()));
}

#[test]
fn an_ods_file_that_ends_in_the_middle_of_its_content_is_refused_wherever_that_is() {
    let whole = "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"P\"><table:table-row>\
                 <table:table-cell office:value-type=\"string\"><text:p>id</text:p></table:table-cell></table:table-row>\
                 <table:table-row><table:table-cell office:value-type=\"string\"><text:p>1</text:p></table:table-cell>\
                 </table:table-row></table:table></office:spreadsheet></office:body></office:document-content>";
    let of = |content: &str| archive(&[MIME, MANIFEST, ("content.xml", content)]);
    assert_eq!(rows(&read_as("hr.ods", of(whole), |_| {}).unwrap()), ["2: 1"]);
    for cut in 1..whole.len() {
        match fault_of("hr.ods", of(&whole[..cut])) {
            Fault::Workbook(message) => assert!(message.starts_with("content.xml is damaged: "), "{cut}: {message}"),
            other => panic!("{cut}: {other}"),
        }
    }
    let open = fault_of("hr.ods", of(&whole[..whole.find("</table:table>").unwrap()]));
    assert_eq!(
        open.to_string(),
        "the workbook cannot be read: content.xml is damaged: it ends in the middle: it was cut short"
    );
}

#[test]
fn an_ods_file_with_a_password_or_none_at_all_is_refused() {
    let data = "<manifest:manifest><manifest:file-entry manifest:full-path=\"content.xml\"><manifest:encryption-data \
                manifest:checksum-type=\"SHA256\"/></manifest:file-entry></manifest:manifest>";
    let encrypted = archive(&[MIME, ("META-INF/manifest.xml", data), ("content.xml", "\u{1}\u{2} no XML")]);
    let error = read_as("hr.ods", encrypted, |_| {}).unwrap_err();
    assert_eq!(error.fault.to_string(), "the workbook is encrypted with a password");
    assert!(error.hint().unwrap().contains("without a password"));
    let whole = archive(&[MIME, ("META-INF/manifest.xml", data), ("encrypted-package", "\u{1}\u{2}")]);
    assert_eq!(fault_of("hr.ods", whole), Fault::Encrypted, "as newer programs write it");
    let said = |bytes: Vec<u8>| fault_of("hr.ods", bytes).to_string();
    assert!(said(workbook(&[&["id"], &["1"]])).ends_with("it is an xlsx file by what is in it"));
    let text = ("mimetype", "application/vnd.oasis.opendocument.text");
    assert!(said(archive(&[text, MANIFEST, ("content.xml", "<a/>")])).ends_with("opendocument.text\""));
    assert!(said(archive(&[MIME, MANIFEST])).ends_with("there is no content.xml in it"));
    assert_eq!(fault_of("hr.ods", ods("")), Fault::Empty);
    assert_eq!(fault_of("hr.ods", "id,name\n1,Ana\n"), Fault::NoWorkbook("text, such as CSV"));
}

#[test]
fn a_small_file_cannot_become_a_large_sheet() {
    let rows_of = |count: u32, cells: &str| {
        format!("<table:table-row table:number-rows-repeated=\"{count}\">{cells}</table:table-row>")
    };
    // A row of 10 kB, a hundred thousand times.
    let content = texts(&["id"]) + &rows_of(100_000, &text(&"x".repeat(10_000)));
    let Fault::Expands { bytes, from } = fault_of("hr.ods", ods(&content)) else { panic!() };
    assert!((64 << 20..80 << 20).contains(&bytes) && from < 4_000, "{bytes} of {from}");
    // A text of a million characters, in every column of a row.
    let long = cell("office:value-type=\"string\" table:number-columns-repeated=\"16384\"", &"x".repeat(1 << 20));
    let pass =
        read_as("hr.ods", ods(&(texts(&["id", "name"]) + &row(&[long]) + &texts(&["2", "Bo"]))), |_| {}).unwrap();
    assert_eq!(pass.bad, [(2, "the row holds more text than a row can".to_owned())]);
    assert_eq!(rows(&pass), ["3: 2|Bo"]);
    let blanks = cell("office:value-type=\"string\"", "<text:s text:c=\"4294967295\"/>");
    let pass = read_as("hr.ods", ods(&(texts(&["id"]) + &row(&[text("1"), blanks]))), |_| {}).unwrap();
    assert_eq!(pass.bad.len(), 1);
    // Merged cells without a text, in as many rows as can be said.
    let merged = cell("table:number-columns-spanned=\"2\"", "");
    let content = texts(&["id", "name"]) + &texts(&["1", "Ana"]) + &rows_of(u32::MAX, &merged);
    assert_eq!(rows(&read_as("hr.ods", ods(&content), |_| {}).unwrap()), ["2: 1|Ana"]);
    // One text, named by every cell.
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..2_400 {
        sheet.write_string(row, 0, if row == 0 { "id".to_owned() } else { "x".repeat(32_000) }).unwrap();
    }
    assert!(matches!(fault_of("hr.xlsx", book.save_to_buffer().unwrap()), Fault::Expands { .. }));
}

#[test]
fn an_archive_that_says_it_holds_gigabytes_is_refused_before_it_is_unpacked() {
    let mut bytes = workbook(&[&["id"], &["1"]]);
    // Every size in the directory and in the heads of the entries; 3 GiB each.
    for (signature, at) in [(b"PK\x01\x02", 24), (b"PK\x03\x04", 22)] {
        let places: Vec<usize> = memchr::memmem::find_iter(&bytes, signature).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|place| bytes[place + at..place + at + 4].copy_from_slice(&(3_u32 << 30).to_le_bytes()));
    }
    let error = read_as("hr.xlsx", &bytes, |_| {}).unwrap_err();
    let said = error.fault.to_string();
    assert!(
        said.starts_with(&format!("{} bytes expand to ", bytes.len())) && said.ends_with("which no export does"),
        "{said}"
    );
    assert!(error.hint().unwrap().contains("unpack it, check it"));
    let zip_password = {
        let mut bytes = workbook(&[&["id"], &["1"]]);
        for (signature, at) in [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)] {
            let places: Vec<usize> = memchr::memmem::find_iter(&bytes, signature).collect();
            places.iter().for_each(|place| bytes[place + at] |= 1);
        }
        bytes
    };
    assert_eq!(fault_of("hr.xlsx", zip_password), Fault::Encrypted);
}

#[test]
fn an_xlsx_file_whose_sheet_ends_in_the_middle_is_no_shorter_export() {
    let whole = workbook(&[&["id"], &["1"], &["2"], &["3"]]);
    for end in ["</row></sheetData>", "</sheetData>"] {
        let cut = with_entry(&whole, "xl/worksheets/sheet1.xml", |xml| xml[..xml.find(end).unwrap()].to_owned());
        let result = read_as("hr.xlsx", cut, |_| {});
        assert!(matches!(result.as_ref().map_err(|error| &error.fault), Err(Fault::Workbook(_))), "{result:?}");
    }
}
