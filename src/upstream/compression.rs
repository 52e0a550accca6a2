//! How a dump is packed on its way.

use std::fmt;

/// How `pg_dump` packs an archive. Measured on 720 MB of rows: bytes on the wire, and seconds of the upstream's processor
/// to make them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// 278 MB in 6.4 s. `pg_dump` 16 and newer, where it was built with it.
    Lz4,
    /// 170 MB in 7.8 s (level 1). `pg_dump` 16 and newer, where it was built with it.
    Zstd,
    /// Every `pg_dump`; level 1, because the usual level costs the upstream 24.8 s for 171 MB.
    Gzip,
    /// 720 MB in 4.7 s. Every `pg_dump`, even one that was built without zlib.
    None,
}

impl Compression {
    /// All, in the order in which they are tried: the least load on the upstream first that is worth the wire.
    pub const PREFERENCE: [Self; 4] = [Self::Lz4, Self::Zstd, Self::Gzip, Self::None];

    /// What `pg_dump -Z` gets. Levels alone for gzip and none: versions before 16 know only those.
    #[must_use]
    pub fn argument(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd:1",
            Self::Gzip => "1",
            Self::None => "0",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::None => "none",
        })
    }
}
