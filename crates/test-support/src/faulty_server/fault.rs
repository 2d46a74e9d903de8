//! What can go wrong.

use std::time::Duration;

/// What goes wrong with one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection is closed in order after so many bytes of the body.
    CutAfter(u64),
    /// After so many bytes of the body nothing comes any more, and the connection stays.
    StallAfter(u64),
    /// The connection is reset after so many bytes of the body.
    ResetAfter(u64),
    /// The length that is announced is so many bytes too large; the connection is closed at the true end.
    AnnounceMore(u64),
    /// The length that is announced is so many bytes too small; the rest is sent all the same.
    AnnounceLess(u64),
    /// The byte at this position of the file is another one.
    WrongByte(u64),
    /// The range is ignored: status 200 and the whole file.
    IgnoreRange,
    /// Bytes from so much further on, or back at the end, under the name of what was asked for.
    ShiftedBytes(u64),
    /// Another range than the one asked for, and said so in `Content-Range`.
    OtherRange(u64),
    /// A whole file of this length is claimed in `Content-Range`.
    OtherTotal(u64),
    /// `Content-Range` makes no sense.
    SenselessRange,
    /// This status, with a few words as its body.
    Status(u16),
    /// This status and `Retry-After` with so many seconds.
    RetryAfter(u16, u64),
    /// Sent on to this address; the path is appended where it ends in a slash.
    RedirectTo(String),
    /// Sent on to the same address.
    RedirectToItself,
    /// Sent on without an address.
    RedirectNowhere,
    /// So many bytes at a time with a pause after each.
    Drip(usize, Duration),
    /// Something that is no HTTP.
    Noise,
    /// The connection is closed before a word is said.
    HangUp,
}
