//! What can go wrong, as integrators see it.
//!
//! A failure is a [`Violation`]: a stable dotted [`Code`], the place in the order it points
//! at, and one sentence that says what to do. Violations travel together as [`Violations`],
//! so a customer hears of every mistake at once. No text that a customer typed is ever
//! copied into one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose action makes the job succeed next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The order or one of its assets has to change.
    Customer,
    /// The farm, its catalog or its services have to change.
    System,
}

/// Whether the same order may succeed when it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// The same input fails the same way.
    Never,
    /// Transient: another attempt, after a delay.
    Later,
    /// Only in a child process of its own.
    Isolated,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $fault:ident, $retry:ident;)*) => {
        /// Every stable error code. Renaming one is a breaking change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The dotted string that integrators match on.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// Whose fault it is.
            pub fn fault(self) -> Fault {
                match self { $(Code::$name => Fault::$fault,)* }
            }

            /// Whether trying again can help.
            pub fn retry(self) -> Retry {
                match self { $(Code::$name => Retry::$retry,)* }
            }
        }
    };
}

codes! {
    /// Body is not JSON, or not UTF-8.
    OrderMalformed: "order.malformed", Customer, Never;
    /// A schema that never existed.
    OrderSchemaUnsupported: "order.schema_unsupported", Customer, Never;
    /// A schema newer than this worker (rolling upgrade).
    OrderSchemaNewer: "order.schema_unsupported", System, Later;
    /// The same run with another digest.
    OrderConflict: "order.conflict", Customer, Never;
    /// Cancelled before it was rendered.
    OrderCancelled: "order.cancelled", Customer, Never;
    /// No usable job_id, or no usable revision.
    OrderUnidentified: "order.unidentified", Customer, Never;
    /// Body over the byte limit, or nested too deep.
    OrderTooLarge: "order.too_large", Customer, Never;
    /// Unknown field (typo).
    OrderUnknownField: "order.unknown_field", Customer, Never;
    /// Unknown template, or version.
    TemplateNotFound: "template.not_found", Customer, Never;
    /// Template file itself invalid.
    TemplateInvalid: "template.invalid", System, Never;
    /// Unknown render profile.
    ProfileNotFound: "profile.not_found", Customer, Never;
    /// Required option absent.
    OptionMissing: "option.missing", Customer, Never;
    /// Value outside the declared choices, range, length, pattern; NaN, negative or huge placement.
    OptionInvalid: "option.invalid", Customer, Never;
    /// Value from the side that does not control the field (customer sets a business field, or the reverse).
    OptionNotEditable: "option.not_editable", Customer, Never;
    /// Canvas or page count over the limits.
    OutputTooLarge: "output.too_large", Customer, Never;
    /// Asset key escapes its root (../../etc/passwd, NUL, absolute).
    AssetRefForbidden: "asset.ref_forbidden", Customer, Never;
    /// Asset URL to a scheme, host, bucket or address that is not allowed.
    AssetSourceForbidden: "asset.source_forbidden", Customer, Never;
    /// Redirect loop.
    AssetRedirectLimit: "asset.redirect_limit", Customer, Never;
    /// Object or URL absent.
    AssetNotFound: "asset.not_found", Customer, Never;
    /// 403, expired presigned URL.
    AssetAccessDenied: "asset.access_denied", Customer, Never;
    /// Bytes differ from the declared length or SHA-256.
    AssetChecksumMismatch: "asset.checksum_mismatch", System, Later;
    /// Slow source.
    AssetTimeout: "asset.timeout", System, Later;
    /// Over the byte limit.
    AssetTooLarge: "asset.too_large", Customer, Never;
    /// Zero bytes.
    AssetEmpty: "asset.empty", Customer, Never;
    /// A type that is not accepted (PDF, PHP, MVG/MSL, ZIP, HDR, BMP bpp=40 …), whatever its extension.
    AssetTypeUnsupported: "asset.type_unsupported", Customer, Never;
    /// Declared type and content disagree; polyglots.
    AssetTypeMismatch: "asset.type_mismatch", Customer, Never;
    /// Declared dimensions over a side limit (PNG 2³¹×2³¹ header, TIFF width 2³¹).
    ImageDimensionsExceeded: "image.dimensions_exceeded", Customer, Never;
    /// Pixels over the limit (deflate bombs, WebP or GIF huge canvas).
    ImagePixelsExceeded: "image.pixels_exceeded", Customer, Never;
    /// ZTXt / iCCP / EXIF bombs.
    ImageMetadataExceeded: "image.metadata_exceeded", Customer, Never;
    /// Over 100 JPEG scans, million-chunk APNG, thousands of GIF frames.
    ImageComplexityExceeded: "image.complexity_exceeded", Customer, Never;
    /// Truncated or corrupt image, TIFF IFD loop.
    ImageCorrupt: "image.corrupt", Customer, Never;
    /// Embedded ICC profile broken (policy: fail, or warn and assume).
    ImageProfileInvalid: "image.profile_invalid", Customer, Never;
    /// SVG entity expansion (billion laughs).
    SvgEntityLimit: "svg.entity_limit", Customer, Never;
    /// SVG reaching outside itself: file:///, image href="/var/run/secrets/…", feImage, CSS url(), XXE.
    SvgExternalRef: "svg.external_ref", Customer, Never;
    /// SVG or SVGZ over the expanded byte limit.
    SvgTooLarge: "svg.too_large", Customer, Never;
    /// 100,000 nested g.
    SvgDepthLimit: "svg.depth_limit", Customer, Never;
    /// 2 M nodes, use fan-out, 80,000 attributes.
    SvgNodeLimit: "svg.node_limit", Customer, Never;
    /// Recursive pattern, mask, filter, use.
    SvgRecursion: "svg.recursion", Customer, Never;
    /// Data: SVG in SVG in SVG ….
    SvgNestingLimit: "svg.nesting_limit", Customer, Never;
    /// Filters that need the whole canvas and exceed the byte budget.
    SvgTooComplex: "svg.too_complex", Customer, Never;
    /// Art that draws nothing.
    SvgEmpty: "svg.empty", Customer, Never;
    /// A font family the library lacks.
    SvgFontMissing: "svg.font_missing", System, Never;
    /// Elements or features that cannot be rendered.
    SvgUnsupported: "svg.unsupported", Customer, Never;
    /// Script, foreignObject, javascript:.
    SvgActiveContent: "svg.active_content", Customer, Never;
    /// Truncated OTF, bad offsets.
    FontInvalid: "font.invalid", System, Never;
    /// Cyclic composite, COLRv1 recursion.
    FontComplexityExceeded: "font.complexity_exceeded", System, Never;
    /// Font not in the library.
    FontNotFound: "font.not_found", System, Never;
    /// Text over its limit (1 MB, Zalgo stacks).
    TextTooLong: "text.too_long", Customer, Never;
    /// Text does not fit at its minimum size, and the layer says fail.
    TextOverflow: "text.overflow", Customer, Never;
    /// No font covers a character, and the layer says fail.
    TextGlyphMissing: "text.glyph_missing", Customer, Never;
    /// Job over its time limit (blur σ=1e9, 1e6 dashes).
    RenderTimeout: "render.timeout", Customer, Isolated;
    /// Renderer process crashed or was killed for memory.
    RenderCrashed: "render.crashed", System, Isolated;
    /// The job needs more memory than the worker's whole budget.
    RenderMemoryExceeded: "render.memory_exceeded", System, Never;
    /// Preflight verdict is fail under the profile's policy.
    PreflightFailed: "preflight.failed", Customer, Never;
    /// Object store unavailable, throttled, 5xx: consumption pauses, no attempt is spent.
    StoreUnavailable: "store.unavailable", System, Later;
    /// Object store denies access: likewise.
    StoreDenied: "store.denied", System, Later;
    /// Broker unavailable while publishing.
    QueueUnavailable: "queue.unavailable", System, Later;
    /// Broker refuses: credentials, virtual host, queues of another kind, a message that no queue takes.
    QueueRefused: "queue.refused", System, Later;
    /// A picture is printed with fewer pixels per inch than the profile wants.
    ImageLowResolution: "image.low_resolution", Customer, Never;
    /// A fault of this program, which a retry will not mend: please report it.
    InternalError: "internal.error", System, Never;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// One thing that is wrong, for a program (`code`, `pointer`) and for a person (`detail`).
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[error("{code}{}: {detail}", .pointer.as_ref().map(|p| format!(" at {p:?}")).unwrap_or_default())]
pub struct Violation {
    /// The stable code.
    pub code: Code,
    /// RFC 6901 JSON Pointer into the order (or into the file being checked), or an asset's place in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong, the limit or the valid values, and what to do. Never a customer's own words.
    pub detail: String,
    /// The limit that was passed, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<serde_json::Value>,
    /// The values that would have been accepted, where they can be listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Whose fault it is.
    pub fault: Fault,
    /// Whether trying again can help.
    pub retry: Retry,
}

impl Violation {
    /// A violation without a place.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Violation {
            code,
            pointer: None,
            detail: detail.into(),
            limit: None,
            allowed: Vec::new(),
            fault: code.fault(),
            retry: code.retry(),
        }
    }

    /// Says where: an RFC 6901 pointer. An earlier pointer is kept as its tail.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        let head = pointer.into();
        self.pointer = Some(match self.pointer.take() {
            Some(tail) => format!("{head}{tail}"),
            None => head,
        });
        self
    }

    /// Says which limit was passed.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<serde_json::Value>) -> Self {
        self.limit = Some(limit.into());
        self
    }

    /// Says which values would do.
    #[must_use]
    pub fn allowed<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.allowed = values.into_iter().map(Into::into).collect();
        self
    }
}

/// One or more violations, reported together. Never empty when it stands in an `Err`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Violations(pub Vec<Violation>);

impl Violations {
    /// Adds one.
    pub fn push(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// Takes the value of a result, or keeps its violations and gives `None`.
    pub fn absorb<T, E: Into<Violations>>(&mut self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.extend(error.into().0);
                None
            }
        }
    }

    /// `Ok(value)` when nothing was wrong.
    pub fn or<T>(self, value: T) -> Result<T, Violations> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// True when nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Violations(vec![violation])
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, violation) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
