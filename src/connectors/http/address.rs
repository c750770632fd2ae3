//! The address of a target: checked once, so that nothing but https leaves (loopback aside), and paths are put beneath
//! it without a way out.

use reqwest::Url;

use crate::connectors::{CallError, Trouble};

/// A checked `base_url`.
#[derive(Clone, Debug)]
pub struct Address {
    /// Without a slash at the end.
    base: String,
    /// Host and port, as messages name the server.
    pub host: String,
    pub https: bool,
}

impl Address {
    /// # Errors
    /// [`Trouble::Configuration`] for what is no address, is neither https nor loopback, or carries credentials, a
    /// query or a fragment. The message does not repeat credentials.
    pub fn parse(text: &str) -> Result<Self, CallError> {
        let wrong = |why: &str| {
            CallError::new(Trouble::Configuration, format!("target.base_url {why}"))
                .with_hint("write the API's final address, such as https://acme.imi.chat/v3.1")
        };
        let (url, https) = check_address(text, &wrong)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must not carry a query or a fragment"));
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), host: name_host(&url), https })
    }

    /// The address of a path beneath this one. The path begins with a slash and may have a query. What is an address by
    /// itself is checked like this one, and left where it is.
    ///
    /// # Errors
    /// [`Trouble::Configuration`] when the two do not make an address, or the address is not safe.
    pub fn join_path(&self, path: &str) -> Result<Url, CallError> {
        if path.contains("://") && !path.starts_with('/') {
            let wrong = |why: &str| CallError::new(Trouble::Configuration, format!("an address {why}"));
            return check_address(path, &wrong).map(|(url, _)| url);
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Url::parse(&format!("{}{slash}{path}", self.base))
            .map_err(|error| CallError::new(Trouble::Configuration, format!("{path} is not a path: {error}")))
    }

    pub fn as_str(&self) -> &str {
        &self.base
    }
}

/// A text as one segment of a path. None for what no path can carry as a segment: nothing, `.` and `..`.
#[must_use]
pub fn path_segment(text: &str) -> Option<String> {
    if matches!(text, "" | "." | "..") {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    Some(out)
}

/// Host and port, as messages name a server.
pub(super) fn name_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An address to which anything may be sent, and whether it is https.
fn check_address(text: &str, wrong: &impl Fn(&str) -> CallError) -> Result<(Url, bool), CallError> {
    let url = Url::parse(text.trim()).map_err(|error| wrong(&format!("is not an address: {error}")))?;
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err(wrong("names no host"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not carry a name or password"));
    }
    let https = match url.scheme() {
        "https" => true,
        "http" if is_loopback(host) => false,
        "http" => return Err(wrong(&format!("must begin with https: {host} is not this machine"))),
        other => return Err(wrong(&format!("must begin with https, not {other}"))),
    };
    Ok((url, https))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<std::net::IpAddr>().map_or(bare == "localhost", |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_accepted() {
        for (text, host, https) in [
            ("https://acme.imi.chat/v3.1/", "acme.imi.chat", true),
            ("http://127.0.0.1:8080/v3.1", "127.0.0.1:8080", false),
            ("http://localhost:9/", "localhost:9", false),
            ("http://[::1]:9", "[::1]:9", false),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.host.as_str(), address.https), (host, https), "{text}");
        }
    }

    #[test]
    fn what_would_leave_in_clear_or_is_no_address_is_refused() {
        for text in [
            "http://acme.imi.chat/v3.1",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "ftp://acme.imi.chat",
            "acme.imi.chat/v3.1",
            "https://user:hunter2@acme.imi.chat/",
            "https://acme.imi.chat/v3.1?x=1",
            "https://acme.imi.chat/#x",
            "",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.trouble, Trouble::Configuration, "{text}");
            assert!(error.message.starts_with("target.base_url ") && !error.message.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn paths_are_put_beneath_the_base() {
        let address = Address::parse("https://acme.imi.chat/v3.1/").unwrap();
        assert_eq!(address.join_path("/users/?page=2").unwrap().as_str(), "https://acme.imi.chat/v3.1/users/?page=2");
        assert_eq!(address.join_path("authorize").unwrap().as_str(), "https://acme.imi.chat/v3.1/authorize");
    }

    #[test]
    fn an_address_of_its_own_stays_where_it_is_and_is_checked() {
        let address = Address::parse("https://acme.imi.chat/v3.1/").unwrap();
        assert_eq!(address.join_path("https://login.acme.org/token").unwrap().as_str(), "https://login.acme.org/token");
        for text in ["http://login.acme.org/token", "https://ana:hunter2@acme.org/", "ftp://acme.org/"] {
            let error = address.join_path(text).unwrap_err();
            assert!(error.trouble == Trouble::Configuration && !error.message.contains("hunter2"), "{text}");
        }
        assert_eq!(address.join_path("/go?to=http://x").unwrap().as_str(), "https://acme.imi.chat/v3.1/go?to=http://x");
    }

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(path_segment("4711").as_deref(), Some("4711"));
        assert_eq!(path_segment("a/b?c").as_deref(), Some("a%2Fb%3Fc"));
        assert_eq!((path_segment(""), path_segment("."), path_segment("..")), (None, None, None));
    }
}
