//! What some settings have to look like. What does not fit is refused at the start, with everything
//! else that is wrong, and not when the first order needs it. No value is repeated: it may be a secret.

use hyper::Uri;
use lapin::uri::AMQPUri;
use std::collections::BTreeSet;

/// A broker's URL that its client will understand, too.
pub(super) fn broker(url: &str) -> Result<(), &'static str> {
    const FORM: &str = "amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://…, with everything but letters, digits and hyphens \
                        of its parts percent-encoded (@ is %40, / is %2F, ? is %3F)";
    let rest = url.strip_prefix("amqp://").or_else(|| url.strip_prefix("amqps://")).ok_or(FORM)?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // A password that holds one of these would end the host too soon, and what follows would be shown.
    let ambiguous = rest.contains(['@', '#']) || authority.matches('@').count() > 1;
    match url.parse::<AMQPUri>() {
        Ok(_) if !ambiguous && !host.is_empty() && !host.starts_with(':') => Ok(()),
        Ok(_) | Err(_) => Err(FORM),
    }
}

/// A bucket's name. Old buckets, and those of other stores, have capitals and underscores.
pub(super) fn is_bucket(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (3..=255).contains(&name.len())
        && name.bytes().all(inner)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// What exchanges' and queues' names begin with. The protocol allows names of 255 bytes, of which a class takes
/// some, and keeps what begins with `amq.` for the broker.
pub(super) fn queue_prefix(text: &str) -> Result<(), &'static str> {
    const FORM: &str =
        "1 to 100 letters, digits, dots, underscores and hyphens, neither amq nor beginning with amq.";
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(plain);
    if fits && text != "amq" && !text.starts_with("amq.") { Ok(()) } else { Err(FORM) }
}

/// An address to listen at. A port alone means every interface.
pub(super) fn bind(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "HOST:PORT, [IPV6]:PORT, or :PORT for every interface";
    let (host, port) = text.rsplit_once(':').ok_or(FORM)?;
    let port: u16 = port.parse().map_err(|_| FORM)?;
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    if fits { Ok(format!("{host}:{port}")) } else { Err(FORM) }
}

/// What artifacts' addresses begin with.
pub(super) fn url_base(text: &str) -> Result<(), &'static str> {
    const FORM: &str = "http://HOST/… or https://HOST/…, without a user's name, a query or a fragment";
    let uri: Uri = text.parse().map_err(|_| FORM)?;
    let host = uri.host().unwrap_or_default();
    let plain = !text.contains(['?', '#', '@']) && text.bytes().all(|b| b.is_ascii_graphic());
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    if web && plain && !host.is_empty() { Ok(()) } else { Err(FORM) }
}

/// Tags as a store takes them: a query of at most ten.
pub(super) fn object_tags(text: &str) -> Result<(), &'static str> {
    const FORM: &str = "KEY=VALUE&…: at most ten different keys of 1 to 128 characters, values of at most 256, \
                        percent-encoded, and no key that begins with aws:";
    let mut keys = BTreeSet::new();
    for tag in text.split('&') {
        let (key, value) = tag.split_once('=').ok_or(FORM)?;
        let (key, value) = (decoded(key).ok_or(FORM)?, decoded(value).ok_or(FORM)?);
        let long = value.chars().count() > 256 || key.chars().count() > 128;
        if key.is_empty() || key.starts_with("aws:") || long || !keys.insert(key) {
            return Err(FORM);
        }
    }
    if keys.len() <= 10 { Ok(()) } else { Err(FORM) }
}

/// A part of a query without its escapes.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|d| !d.starts_with('+'))?;
                u8::from_str_radix(digits, 16).ok()?
            }
            b'+' => b' ',
            b'=' | b'#' => return None,
            byte if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers() {
        for url in ["amqp://host", "amqps://u:p%40x@host:5671/%2f?heartbeat=10", "amqp://u@[::1]:5672/v"] {
            assert_eq!(broker(url), Ok(()), "{url}");
        }
        for url in [
            "amqp://",
            "amqp:///vhost",
            "amqp://u:p@",
            "amqp://u:p@:5672",
            "amqp://host:notaport",
            "amqp://host:99999",
            "amqp://user:pa?ss@host",
            "amqp://user:12/ss@host",
            "amqp://user:p@ss@host",
            "http://host",
        ] {
            assert!(broker(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_queues_names_begin_with() {
        for text in ["presswork", "shop-2.print_farm", "amqp", "a.amq", &"a".repeat(100)] {
            assert_eq!(queue_prefix(text), Ok(()), "{text}");
        }
        for text in ["amq", "amq.presswork", "a b", "a/b", "größe", "a\n", &"a".repeat(101)] {
            assert!(queue_prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_to_listen_at() {
        for (text, address) in [
            (":9090", "0.0.0.0:9090"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("localhost:9090", "localhost:9090"),
            ("[::]:9090", "[::]:9090"),
        ] {
            assert_eq!(bind(text).as_deref(), Ok(address));
        }
        for text in [
            "",
            "9090",
            "host:",
            "host:notaport",
            "host:70000",
            "::1:9090",
            "[host]:1",
            "http://h:1",
            "a b:1",
        ] {
            assert!(bind(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bases_of_addresses() {
        for text in ["https://cdn.example.com", "http://localhost:8080/a/b/"] {
            assert_eq!(url_base(text), Ok(()), "{text}");
        }
        for text in [
            "cdn.example.com",
            "/files",
            "s3://bucket",
            "https://",
            "https://u:p@h",
            "https://h/?a=1",
            "https://h/a b",
        ] {
            assert!(url_base(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tags() {
        for text in ["a=b", "team=print&cost%20centre=4711&note=", "a=b%3Dc"] {
            assert_eq!(object_tags(text), Ok(()), "{text}");
        }
        let many = (0..11).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
        for text in
            ["a", "=b", "a=b&", "a=b&a=c", "a=b=c", "a=%zz", "a=%2", "a=b c", "aws:a=b", many.as_str()]
        {
            assert!(object_tags(text).is_err(), "{text}");
        }
    }
}
