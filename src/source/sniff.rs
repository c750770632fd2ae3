//! Guesses from the first bytes of a file: is this text at all, and which delimiter was meant. A guess is only ever used
//! to refuse with a better reason, never to read a file in another way than the settings say.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::error::{Fault, Trouble};
use super::looks::Looks;

const MAGIC: [(&[u8], Looks); 5] = [
    (b"PK\x03\x04", Looks::Zip),
    (b"PK\x05\x06", Looks::Zip),
    (b"\xD0\xCF\x11\xE0", Looks::OldExcel),
    (b"\x1F\x8B", Looks::Gzip),
    (b"%PDF-", Looks::Pdf),
];

/// Refuses a file whose first bytes (after a byte order mark of `bom` bytes) cannot be text of this encoding.
pub(super) fn refuse_binary(head: &[u8], bom: usize, encoding: &'static Encoding) -> Result<(), Trouble> {
    let refuse = |looks, at: usize| Err(Trouble { line: None, byte: Some(at as u64), fault: Fault::Binary(looks) });
    if bom == 0
        && let Some((_, looks)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic))
    {
        return refuse(*looks, 0);
    }
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return Ok(());
    }
    let Some(first) = memchr::memchr(0, head) else { return Ok(()) };
    // Western text in UTF-16 has a NUL in nearly every second byte, and none in the others.
    let nuls = |parity: usize| head.iter().skip(parity).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (nuls(0), nuls(1), head.len() / 2);
    match () {
        () if bom == 0 && odd * 10 > half * 6 && even * 10 < half => refuse(Looks::Utf16Le, 0),
        () if bom == 0 && even * 10 > half * 6 && odd * 10 < half => refuse(Looks::Utf16Be, 0),
        () => refuse(Looks::Nul, first),
    }
}

/// The delimiter that was probably meant, when a header parsed into one column only: one that stands in the header,
/// and in the line after it if there is one, outside of quotes.
pub(super) fn delimiter_meant(header: &[u8], rest: &[u8], delimiter: u8) -> Option<u8> {
    let next = rest.split(|b| matches!(b, b'\n' | b'\r')).find(|line| !line.is_empty());
    [b';', b'\t', b'|', b',']
        .into_iter()
        .filter(|candidate| *candidate != delimiter)
        .map(|candidate| (outside_quotes(header, candidate), candidate))
        .filter(|(count, candidate)| *count > 0 && next.is_none_or(|line| outside_quotes(line, *candidate) > 0))
        .max_by_key(|(count, _)| *count)
        .map(|(_, candidate)| candidate)
}

fn outside_quotes(line: &[u8], wanted: u8) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for byte in line {
        quoted ^= *byte == b'"';
        count += usize::from(*byte == wanted && !quoted);
    }
    count
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;

    use super::*;

    fn looks(head: &[u8]) -> Option<Looks> {
        match refuse_binary(head, 0, UTF_8) {
            Err(Trouble { fault: Fault::Binary(looks), .. }) => Some(looks),
            _ => None,
        }
    }

    #[test]
    fn binary_files_are_told_by_their_first_bytes() {
        assert_eq!(looks(b"PK\x03\x04\x14\0\0"), Some(Looks::Zip));
        assert_eq!(looks(b"\x1F\x8B\x08\0"), Some(Looks::Gzip));
        assert_eq!(looks(b"i\0d\0,\0n\0\r\0\n\0"), Some(Looks::Utf16Le));
        assert_eq!(looks(b"\0i\0d\0,\0n\0\r\0\n"), Some(Looks::Utf16Be));
        assert_eq!(looks(b"id,name\n1,\0\n"), Some(Looks::Nul));
        assert_eq!(looks("id,näme\n".as_bytes()), None);
        assert_eq!(looks(b""), None);
    }

    #[test]
    fn a_delimiter_is_meant_only_where_header_and_next_line_have_it_outside_quotes() {
        assert_eq!(delimiter_meant(b"id;name;mail\n", b"1;Ana;a@x\n", b','), Some(b';'));
        assert_eq!(delimiter_meant(b"id,name\n", b"", b';'), Some(b','));
        assert_eq!(delimiter_meant(b"id\tfirst, last\tmail", b"\r\n1\tDiaz, Ana\ta@x", b';'), Some(b'\t'));
        assert_eq!(delimiter_meant(b"\"a;b\"\n", b"\"c;d\"\n", b','), None);
        assert_eq!(delimiter_meant(b"name; first\n", b"Ana\n", b','), None);
        assert_eq!(delimiter_meant(b"id\n", b"1\n", b','), None);
    }
}
