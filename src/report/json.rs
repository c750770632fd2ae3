//! A report for programs: one object, the head's fields and then `entries`, each as a plan file or a journal has it.

use std::io::{self, Write};

use super::{Entries, Head};

pub(super) fn write(head: &Head, entries: &mut Entries<'_>, out: &mut dyn Write) -> io::Result<()> {
    let head = serde_json::to_string(head)?;
    // The head is an object with fields; it is left open, and the entries become its last field.
    out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
    out.write_all(b",\"entries\":[")?;
    for (at, entry) in entries.enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &entry?)?;
    }
    out.write_all(b"]}\n")
}

#[cfg(test)]
mod tests {
    use crate::report::samples::{rendered, rich};
    use crate::report::{Form, Head, RunRecord, Style, render};

    #[test]
    fn a_report_without_entries_is_valid_and_keeps_its_head() {
        let head = rich().head;
        let mut out = Vec::new();
        render(RunRecord::from_parts(head.clone(), std::iter::empty()), Form::Json, &Style::default(), &mut out)
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["entries"], serde_json::json!([]));
        assert_eq!(serde_json::from_value::<Head>(json).unwrap(), head);
    }

    #[test]
    fn an_error_in_the_stream_is_the_result() {
        let record =
            RunRecord::from_parts(rich().head, std::iter::once(Err(std::io::Error::other("the journal ends"))));
        let error = render(record, Form::Json, &Style::default(), &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "the journal ends");
    }

    #[test]
    fn it_reads_like_this() {
        insta::assert_snapshot!(rendered(rich(), Form::Json, &Style::default()), @r#"
        {"of":"run","started_at":"2026-11-22T03:00:00Z","target":"imichat https://acme.imi.chat/v3.1","summary":{"headcount_summary":1,"command":"apply","run":"r-7","tenant":"acme","outcome":"partial","planned":{"create":2,"update":2,"deactivate":1,"reactivate":1,"delete":0},"found":{"unchanged":1170,"drift":1,"conflict":0,"invalid":1,"skipped":0,"absent":1,"protected":0},"applied":{"create":2,"update":1,"deactivate":0,"reactivate":0,"delete":0},"held":1,"failed":1,"unknown":1,"requests":{"auth":1,"list":119,"lookup":1,"write":6,"retried":2,"total":127,"estimated":125},"quota":{"limit":10000,"remaining":9863,"resets_at":"2026-11-23T00:00:00Z"},"elapsed_seconds":31.2,"exit_code":4},"held":[{"kind":"deactivate","count":1,"limit":0,"approve":"9f2c41"}],"accounts":1177,"notes":[],"entries":[
        {"seq":1,"action":"create","key":"ana.diaz","identity":"E-1","source":{"file":"hr.csv","line":2},"changes":[{"attribute":"first_name","to":"Ana"},{"attribute":"phone","to":"+34 600 111"},{"attribute":"password","to":"(generated)"}],"requests":1,"held":false,"outcome":{"result":"applied"}},
        {"seq":2,"action":"create","key":"cy.o'neil","source":{"file":"hr.csv","line":4},"changes":[{"attribute":"first_name","to":"Cy"}],"requests":1,"held":false,"outcome":{"result":"adopted","message":"it was created meanwhile"}},
        {"seq":3,"action":"update","key":"bo.li","identity":"E-2","account":"4711","match":"login_id","source":{"file":"hr.csv","line":3},"changes":[{"attribute":"first_name","from":"Bo","to":"李 Zoë"},{"attribute":"job_description","from":null,"to":"Lead | <b>Ops</b>\n2nd line"},{"attribute":"skill_attributes","from":{"English":80},"to":{"English":100,"Spanish":80}}],"requests":1,"held":false,"outcome":{"result":"applied"}},
        {"seq":4,"action":"update","key":"fay.wong","account":"4712","match":"login_id+email_id","source":{"file":"hr.csv","line":7},"changes":[{"attribute":"last_name","from":"Wang","to":"Wong"}],"requests":1,"held":false,"outcome":{"result":"failed","message":"PATCH users/4712: email already exists","code":3111,"trxid":"7f-0a"}},
        {"seq":5,"action":"reactivate","key":"gus.ode","account":"4713","match":"link","source":{"file":"hr.csv","line":8},"changes":[{"attribute":"status","from":"inactive","to":"active"}],"requests":1,"held":false,"outcome":{"result":"unknown","message":"timed out after 30 s"}},
        {"seq":6,"action":"deactivate","key":"dee.ray","account":"4714","match":"login_id","source":{"file":"hr.csv","line":9},"changes":[{"attribute":"status","from":"active","to":"inactive"}],"reason":"the row says Terminated","warnings":["has 2 open chats"],"requests":1,"held":true,"outcome":{"result":"held"}},
        {"finding":"drift","key":"hal.ito","account":"4715","match":"login_id","source":{"file":"hr.csv","line":11},"changes":[{"attribute":"email_id","from":"hal@old.example","to":"hal@new.example"}],"reason":"the API cannot change email_id"},
        {"finding":"invalid","key":"=E-9","source":{"file":"hr.csv","line":12},"reason":"column `start`: `31.02.2026` is not a date"},
        {"finding":"absent","key":"old.hand","account":"4716","reason":"without a row since 2026-11-20, 2 of 3 runs"}]}
        "#);
    }
}
