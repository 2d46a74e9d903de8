//! The decoder of event streams: the inputs of the web platform's own tests (`eventsource/format-*` of
//! <https://github.com/web-platform-tests/wpt>, written anew), what it does beyond the standard, and bytes without sense.

use cloud::sse::{Decoder, Event, Item, TooLarge};
use proptest::prelude::*;

/// Everything in a body that comes in these pieces; with `rest`, also what was not ended by a blank line.
fn items(pieces: &[&[u8]], rest: bool) -> Vec<Item> {
    let mut decoder = Decoder::default();
    let mut items = Vec::new();
    for piece in pieces {
        items.extend(decoder.push(piece).expect("small"));
    }
    if rest {
        items.extend(decoder.finish().expect("small"));
    }
    items
}

fn event(kind: &str, data: &str) -> Item {
    Item::Event(Event { kind: kind.to_owned(), data: data.to_owned() })
}

/// Events of the kind `message` with these data.
fn messages(data: &[&str]) -> Vec<Item> {
    data.iter().map(|data| event("message", data)).collect()
}

/// Checks `body` whole, cut at every byte, and byte by byte.
fn check(body: &[u8], expected: &[Item]) {
    let shown = String::from_utf8_lossy(body);
    for at in 0..=body.len() {
        let (one, two) = body.split_at(at);
        assert_eq!(items(&[one, two], false), expected, "{shown:?} cut at {at}");
    }
    let single: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(items(&single, false), expected, "{shown:?} byte by byte");
}

#[test]
fn the_web_platforms_inputs() {
    let long = "x".repeat(2048);
    let comments = format!("data:1\r:\0\n:\r\ndata:2\n:{long}\rdata:3\n:data:fail\r:{long}\ndata:4\n\n");
    let cases: &[(&[u8], &[&str])] = &[
        // data
        (b"data:\n\ndata\ndata\n\ndata:test\n\n", &["", "\n", "test"]),
        (b"data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n", &["msg\nmsg", "", "end"]),
        // byte-order marks: one at the beginning, and no other
        ("\u{feff}data:1\n\n\u{feff}data:2\n\ndata:3\n\n".as_bytes(), &["1", "3"]),
        ("\u{feff}\u{feff}data:1\n\ndata:2\n\ndata:3\n\n".as_bytes(), &["2", "3"]),
        (comments.as_bytes(), &["1\n2\n3\n4"]),
        // what is not ended by a blank line
        (b"retry:1000\ndata:test1\n\nid:test\ndata:test2", &["test1"]),
        // names of fields
        (b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\n\n", &["test\n"]),
        (b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\rdata:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
         &["\0\n 2\n1\n4\n3\n\n4"]),
        (b"data:\ttest\rdata: \ndata:test\n\n", &["\ttest\n\ntest"]),
        // line ends
        (b"data:test\r\ndata\ndata:test\r\n\r", &["test\n\ntest"]),
        // always UTF-8
        ("data:ok…\n\n".as_bytes(), &["ok…"]),
        (b"data:\xff\n\n", &["\u{fffd}"]),
        (b"data:\0\n\n", &["\0"]),
        // ids and pauses are for those who connect again
        (b"id: 1\ndata:1\n\nid\ndata:2\n\nid:\0\nretry:x\nretry:3000\ndata:3\n\n", &["1", "2", "3"]),
        // an empty kind is none
        (b"event: \ndata:data\n\n", &["data"]),
    ];
    for (body, expected) in cases {
        check(body, &messages(expected));
    }
    check(b"event:test\ndata:x\n\ndata:x\n\n", &[event("test", "x"), event("message", "x")]);
    check(b"event:test\n\ndata:x\n\n", &[event("message", "x")]);
}

#[test]
fn what_servers_of_models_send() {
    let cases: &[(&str, &[&str])] = &[
        (": ping\n\n: ping - 2026-01-01\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n", &["{\"a\":1}", "[DONE]"]),
        ("data:{\"a\":1}\r\n\r\n\r\n\r\ndata:{\"b\":2}\r\n\r\n", &["{\"a\":1}", "{\"b\":2}"]),
        ("data: {\"a\":\"\u{2028}\u{2029}\u{85}\"}\n\n", &["{\"a\":\"\u{2028}\u{2029}\u{85}\"}"]),
        ("data: {\"a\":\ndata: 1}\n\n", &["{\"a\":\n1}"]),
    ];
    for (body, expected) in cases {
        check(body.as_bytes(), &messages(expected));
    }
}

#[test]
fn json_without_data_comes_out_bare() {
    let error = "{\n  \"error\": {\n    \"message\": \"a } \\\" ] {\",\n    \"details\": [\n      {}\n    ]\n  }\n}";
    let bare = |text: &str| Item::Bare(text.to_owned());
    check(format!("{error}\n").as_bytes(), &[bare(error)]);
    check(
        format!("data: 1\n\n{error}\n\ndata: 2\n\n").as_bytes(),
        &[event("message", "1"), bare(error), event("message", "2")],
    );
    // Without a blank line before or after it, and twice.
    check(
        format!("data: 1\n{error}\n{error}\ndata: 2\n\n").as_bytes(),
        &[event("message", "1"), bare(error), bare(error), event("message", "2")],
    );
    check(b"{\"a\":1} {\"b\":2}\n", &[bare("{\"a\":1}"), bare("{\"b\":2}")]);
    check(b"[{\"a\":\"]\"}]\r\n", &[bare("[{\"a\":\"]\"}]")]);
    check(b"  {\"a\":1}\n", &[bare("{\"a\":1}")]);
    for ends in ["\r\n", "\r"] {
        check(format!("{}{ends}", error.replace('\n', ends)).as_bytes(), &[bare(error)]);
    }
}

#[test]
fn what_was_not_ended_comes_out_at_the_end() {
    for (body, expected) in [
        ("data: 1", vec![event("message", "1")]),
        ("data: 1\n", vec![event("message", "1")]),
        ("{\"a\":", vec![Item::Bare("{\"a\":\n".to_owned())]),
        ("data: 1\n{\"a\":1}", vec![event("message", "1"), Item::Bare("{\"a\":1}".to_owned())]),
        (": ping", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(items(&[body.as_bytes()], true), expected, "{body:?}");
    }
}

#[test]
fn nothing_grows_without_bound() {
    let most = 1000;
    let overflow = |bytes: &[u8]| {
        let mut decoder = Decoder::new(most);
        (0..100).find_map(|_| decoder.push(bytes).err())
    };
    for bytes in [
        &b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..],
        b"data: xxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        b"{\"a\": [1, 2, 3, 4, 5, 6, 7, \n",
    ] {
        assert_eq!(overflow(bytes), Some(TooLarge { most_bytes: most }));
    }
    // Events that end are no burden.
    assert_eq!(overflow(b"data: xxxxxxxxxxxxxxxxxxxxxxxxxx\n\n"), None);
    assert_eq!(overflow(b"{\"a\": [1, 2, 3]}\n: comment\n"), None);
}

proptest! {
    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        lines in prop::collection::vec("(data: ?|event:|:|\\{|\\}|\\[|\\]|\"|\\\\|é|\u{2028}|x|\r|\n|\r\n|\u{feff}){0,6}", 0..12),
        noise in prop::collection::vec(any::<u8>(), 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut body = lines.concat().into_bytes();
        body.extend(noise);
        let whole = items(&[&body], true);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        prop_assert_eq!(items(&pieces, true), whole);
    }
}
