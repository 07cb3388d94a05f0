//! The rules: one stable code for each thing that can be wrong with a file.

use crate::order::event::Verdict;
use std::fmt;

/// When a rule is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// Of every PDF.
    Always,
    /// Where any PDF/X is asked for.
    X,
    /// Where PDF/X-4 is asked for.
    X4,
    /// Where PDF/X-1a or PDF/X-3 is asked for.
    Flat,
    /// Where PDF/X-1a is asked for.
    X1a,
    /// Where the profile sets the limit.
    House,
}

impl When {
    /// The word in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            When::Always => "always",
            When::X => "x",
            When::X4 => "x4",
            When::Flat => "x1a, x3",
            When::X1a => "x1a",
            When::House => "house",
        }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident: $code:literal, $when:ident, $verdict:ident;)*) => {
        /// Everything that preflight can find. Renaming a code is a breaking change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Rule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The dotted string that findings carry.
            pub fn as_str(self) -> &'static str {
                match self { $(Rule::$name => $code,)* }
            }

            /// When it is looked at.
            pub fn when(self) -> When {
                match self { $(Rule::$name => When::$when,)* }
            }

            /// What it does to a job unless the profile says otherwise.
            pub fn verdict(self) -> Verdict {
                match self { $(Rule::$name => Verdict::$verdict,)* }
            }
        }
    };
}

rules! {
    /// The bytes are no PDF, are cut off, or point nowhere.
    FileDamaged: "file.damaged", Always, Fail;
    /// Reading it would cost more than the limits allow.
    FileLimit: "file.limit", Always, Fail;
    /// It is encrypted.
    FileEncrypted: "file.encrypted", Always, Fail;
    /// The header is not in the first byte, or the version is newer than the standard's.
    FileVersion: "file.version", X, Fail;
    /// Something that PDF 1.4 does not know, or the standard's compression does not.
    FileNewer: "file.newer", Flat, Fail;
    /// The trailer lacks its two identifiers.
    FileId: "file.id", X, Fail;

    /// There is no XMP packet, or it does not read.
    MetadataMissing: "metadata.missing", X4, Fail;
    /// XMP (x1a, x3: Info) lacks something that the standard asks for: title, dates, document ids.
    MetadataIncomplete: "metadata.incomplete", X, Fail;
    /// Info and XMP contradict each other.
    MetadataMismatch: "metadata.mismatch", X4, Fail;
    /// XMP (x1a, x3: Info) does not name the standard.
    MetadataStandard: "metadata.standard", X, Fail;
    /// It is not said whether the file is trapped.
    MetadataTrapped: "metadata.trapped", X, Fail;

    /// There is no output intent of PDF/X.
    IntentMissing: "intent.missing", X, Fail;
    /// There is more than one.
    IntentSeveral: "intent.several", X, Fail;
    /// The intent does not name its printing condition; for x1a and x3 it describes it where no registry does.
    IntentIncomplete: "intent.incomplete", X, Fail;
    /// Its profile is no ICC profile of an output device with as many components as it claims.
    IntentProfile: "intent.profile", X, Fail;

    /// A page has no media box, or an empty one.
    BoxMissing: "box.missing", Always, Fail;
    /// A page has no trim box.
    BoxTrim: "box.trim", X, Fail;
    /// A page has a trim box and an art box.
    BoxArt: "box.art", X, Fail;
    /// The trim box leaves the bleed box, or the bleed or crop box the media box.
    BoxNesting: "box.nesting", Always, Fail;
    /// A page is turned by something other than quarters.
    BoxTurn: "box.rotation", Always, Fail;
    /// Pages differ in their trim size.
    BoxSizes: "box.sizes", House, Warn;

    /// A font's program is not in the file, or what stands for it is none.
    FontEmbedded: "font.not_embedded", X, Fail;

    /// DeviceRGB is used though the output is no RGB.
    ColorRgb: "color.device_rgb", X, Fail;
    /// DeviceCMYK is used though the output is no CMYK.
    ColorCmyk: "color.device_cmyk", X, Fail;
    /// An ICC-based space has a profile that does not fit it, or (x4) the output intent's own CMYK.
    ColorProfile: "color.profile", X, Fail;
    /// A colour that is no ink's: given by a profile, by calibration, or as RGB.
    ColorTagged: "color.tagged", X1a, Fail;
    /// A spot ink is defined in two ways.
    ColorSpot: "color.spot_differs", X, Fail;
    /// A colour space of several inks names one twice, or describes one by another.
    ColorInks: "color.inks", X, Fail;
    /// A rendering intent that PDF does not know.
    ColorIntent: "color.rendering_intent", X, Fail;

    /// Transparency: an opacity, a blend mode, a soft mask, or a group.
    NoTransparency: "transparency.forbidden", Flat, Fail;
    /// A transparency group does not name its blending space.
    GroupSpace: "transparency.space", X4, Fail;
    /// A blend mode that PDF does not know.
    BlendMode: "transparency.blend_mode", X4, Fail;

    /// JavaScript.
    NoScript: "forbidden.javascript", X, Fail;
    /// An action, at opening or on a page.
    NoAction: "forbidden.action", X, Fail;
    /// A stream compressed by LZW.
    NoLzw: "forbidden.lzw", X, Fail;
    /// PostScript inside the file.
    NoPostScript: "forbidden.postscript", X, Fail;
    /// A transfer function, of a state or of a process ink's halftone.
    NoTransfer: "forbidden.transfer_function", X, Fail;
    /// A halftone that is not of type 1 or 5, a named one, or an origin for one.
    NoHalftone: "forbidden.halftone", X, Fail;
    /// OPI comments.
    NoOpi: "forbidden.opi", X, Fail;
    /// Alternates of a picture.
    NoAlternates: "forbidden.alternates", X, Fail;
    /// A stream whose data lies in another file, or a form that stands for another document.
    NoExternal: "forbidden.external", X, Fail;
    /// A file within the file.
    NoEmbedded: "forbidden.embedded_file", X, Fail;
    /// An annotation within the bleed box; a printer's mark or a trap within the trim.
    NoAnnotation: "forbidden.annotation", X, Fail;
    /// Sound, film, 3D or rich media.
    NoMedia: "forbidden.media", X, Fail;
    /// An interactive form.
    NoForm: "forbidden.form", X, Fail;
    /// Steps of a presentation, or another order of pages to be shown.
    NoPresentation: "forbidden.presentation", X, Fail;
    /// Viewer preferences that print something other than the media or the bleed box.
    NoViewer: "forbidden.viewer_area", X, Fail;

    /// Layers, which PDF 1.4 does not have.
    NoLayers: "layers.forbidden", Flat, Fail;
    /// A layer configuration has no name of its own, switches layers by event, or leaves one out.
    LayerConfig: "layers.configuration", X4, Fail;
    /// A layer that something is painted on is switched off, so presses leave it out.
    LayerHidden: "layers.hidden", Always, Hold;

    /// Operators that open something are not closed, or the reverse.
    ContentBalance: "content.unbalanced", Always, Fail;
    /// An operator that PDF does not know.
    ContentOperator: "content.unknown_operator", Always, Fail;
    /// An operator has the wrong operands.
    ContentOperand: "content.operands", Always, Fail;
    /// A font, picture, colour space or state is named that the page does not have.
    ContentResource: "content.resource_missing", Always, Fail;

    /// A picture's data is none, ends early, or has other colours than the picture claims.
    ImageDamaged: "image.damaged", Always, Fail;
    /// A picture has fewer pixels per inch on the page than the profile asks for.
    ImageLow: "image.low_resolution", House, Warn;
    /// A picture has more pixels per inch on the page than the profile allows.
    ImageHigh: "image.high_resolution", House, Warn;
    /// The bleed is smaller than the profile's.
    BleedSmall: "bleed.too_small", House, Fail;
    /// The paint does not reach the edge of the bleed.
    BleedEmpty: "bleed.not_reached", House, Hold;
    /// Something ends between the safe zone and the trim.
    SafeZone: "safe_zone.intruded", House, Hold;
    /// Nothing is printed within a page's trim.
    PageBlank: "page.blank", House, Hold;
    /// All that is printed on a surface is smaller together than a design can be.
    DesignSmall: "design.too_small", House, Hold;
    /// The number of pages is not what the profile asks for.
    PageCount: "page.count", House, Fail;
    /// The sheet is not as wide as its covers and their spine.
    PageSpine: "page.spine", House, Fail;
    /// The trim size is not the profile's.
    PageSize: "page.size", House, Fail;
    /// A line, or a rectangle that stands for one, is thinner than the press can hold.
    LineThin: "line.too_thin", House, Warn;
    /// Type is smaller than the press can hold.
    TypeSmall: "type.too_small", House, Warn;
    /// An ink that the profile does not print.
    PlateUnexpected: "plate.unexpected", House, Fail;
    /// An ink of the profile is not used.
    PlateMissing: "plate.missing", House, Fail;
    /// A spot ink knocks out what it should leave, or overprints what it should knock out.
    PlateLaid: "plate.laid", House, Fail;
    /// A spot ink lies on no layer that names the processing step that the profile says.
    PlateStep: "plate.step", House, Fail;
    /// What a knife follows is an area, a tint or a thick line.
    CutLine: "cut.not_line", House, Hold;
    /// Something that knocks out is painted over the white ink.
    WhiteOrder: "white.not_last", House, Fail;
    /// White ink neither overprints nor multiplies: it erases what it lies on.
    WhiteKnockout: "white.knocks_out", House, Fail;
    /// White ink both overprints and multiplies: presses differ in what they make of it.
    WhiteBoth: "white.both", House, Fail;
    /// The white plate does not cover what its mask covers.
    WhiteCoverage: "white.coverage", House, Fail;
    /// The choke or the threshold of the white plate leaves nothing of it beneath something inked.
    WhiteVanishes: "white.vanishes", House, Warn;
    /// Something printed lies outside the contour that is traced from the art.
    CutLeavesArt: "cut.leaves_art", House, Hold;
    /// A contour runs off the page.
    CutOffPage: "cut.off_page", House, Hold;
    /// White overprints: what lies beneath it is printed, and the white is not.
    WhiteLost: "white.overprints", Always, Fail;
    /// Something in the artwork is in the colour of register marks, which prints on every plate.
    InkRegistration: "ink.registration", Always, Hold;
    /// A colour or a picture asks for more ink than the paper can take.
    InkLimit: "ink.limit", House, Warn;
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Rule {
    /// The rule of this code.
    pub fn from_code(code: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.as_str() == code)
    }
}
