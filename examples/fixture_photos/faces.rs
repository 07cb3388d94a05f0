//! Faces with soft light, drawn about the origin in a head some 560 units high.

use crate::random::Random;
use std::fmt::Write;

/// How somebody looks. Colours are `#rrggbb`.
pub(crate) struct Look {
    pub(crate) skin: &'static str,
    pub(crate) shade: &'static str,
    pub(crate) hair: &'static str,
    pub(crate) hair_light: &'static str,
    pub(crate) style: Style,
    pub(crate) iris: &'static str,
    pub(crate) clothes: &'static str,
    pub(crate) clothes_dark: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    Curly,
    Short,
    Bob,
    Tousled,
}

const HEAD: &str = "M-212-60C-225-330 225-330 212-60C208 90 150 285 0 288C-150 285-208 90-212-60Z";

/// A head with shoulders. `id` keeps the gradients of several apart; without `body` the head
/// stands alone, for cut-outs.
pub(crate) fn face(id: &str, look: &Look, beard: bool, body: bool) -> String {
    let Look { skin, shade, hair, hair_light, style, iris, clothes, clothes_dark } = look;
    let mut out = format!(
        r##"<defs>
<radialGradient id="{id}skin" cx=".4" cy=".38" r=".75"><stop offset="0" stop-color="{skin}"/><stop offset=".62" stop-color="{skin}"/><stop offset="1" stop-color="{shade}"/></radialGradient>
<linearGradient id="{id}neck" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{shade}"/><stop offset="1" stop-color="{skin}"/></linearGradient>
<linearGradient id="{id}hair" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{hair_light}"/><stop offset=".6" stop-color="{hair}"/></linearGradient>
<linearGradient id="{id}cloth" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{clothes}"/><stop offset="1" stop-color="{clothes_dark}"/></linearGradient>
<radialGradient id="{id}iris"><stop offset="0" stop-color="#16100c"/><stop offset=".42" stop-color="#16100c"/><stop offset=".5" stop-color="{iris}"/><stop offset=".85" stop-color="{iris}"/><stop offset="1" stop-color="#1d1512"/></radialGradient>
<filter id="{id}soft" x="-60%" y="-60%" width="220%" height="220%"><feGaussianBlur stdDeviation="16"/></filter>
<filter id="{id}softer" x="-60%" y="-60%" width="220%" height="220%"><feGaussianBlur stdDeviation="6"/></filter>
<clipPath id="{id}head"><path d="{HEAD}"/></clipPath>
</defs>"##
    );
    out.push_str(&back_hair(id, *style, hair));
    if body {
        let _ = write!(
            out,
            r##"<path d="M-95 200h190v190h-190z" fill="url(#{id}neck)"/>
<path d="M-95 240q95 90 190 0l10 60q-105 80-210 0z" fill="{shade}" opacity=".7" filter="url(#{id}softer)"/>
<path d="M-620 1000C-610 560-420 430-120 350Q0 440 120 350C420 430 610 560 620 1000Z" fill="url(#{id}cloth)"/>
<path d="M-140 345Q0 490 140 345l26 12Q0 540-166 357Z" fill="{clothes_dark}" opacity=".55"/>
<path d="M-330 1000C-350 800-330 700-260 620M330 1000C350 800 330 700 260 620" fill="none" stroke="{clothes_dark}" stroke-width="16" opacity=".6" filter="url(#{id}softer)"/>"##
        );
    }
    let _ = write!(
        out,
        r##"<ellipse cx="-212" cy="10" rx="36" ry="62" fill="{shade}"/><ellipse cx="212" cy="10" rx="36" ry="62" fill="{shade}"/>
<path d="{HEAD}" fill="url(#{id}skin)"/><g clip-path="url(#{id}head)">
<ellipse cx="-120" cy="95" rx="62" ry="44" fill="#e2574c" opacity=".26" filter="url(#{id}soft)"/>
<ellipse cx="120" cy="95" rx="62" ry="44" fill="#e2574c" opacity=".26" filter="url(#{id}soft)"/>
<path d="M150-160C205-40 190 150 60 270C160 250 225 60 212-60Z" fill="{shade}" opacity=".75" filter="url(#{id}soft)"/>
<ellipse cx="-70" cy="-160" rx="90" ry="50" fill="#fff" opacity=".2" filter="url(#{id}soft)"/></g>"##
    );
    for (side, x) in [(-1.0, -94.0), (1.0, 94.0)] {
        let _ = write!(
            out,
            r##"<g transform="translate({x} -22) scale({side} 1)">
<ellipse rx="66" ry="40" fill="{shade}" opacity=".5" filter="url(#{id}soft)"/>
<path d="M-54 8C-36-32 34-38 56-2C34 30-30 34-54 8Z" fill="#fbf7f2"/>
<circle cx="2" cy="-3" r="27" fill="url(#{id}iris)"/>
<circle cx="{glint}" cy="-13" r="8" fill="#fff" opacity=".95"/>
<path d="M-58 10C-38-36 34-42 62-6" fill="none" stroke="#2b1a14" stroke-width="9" stroke-linecap="round"/>
<path d="M48-14l20-12M32-24l14-18" stroke="#2b1a14" stroke-width="6" stroke-linecap="round"/>
<path d="M-50-74C-20-98 34-100 70-70" fill="none" stroke="{hair}" stroke-width="17" stroke-linecap="round" opacity=".92"/>
</g>"##,
            glint = -8.0 * side
        );
    }
    let _ = write!(
        out,
        r##"<path d="M14-20C26 40 46 78 30 100C10 112-18 112-34 98" fill="{shade}" opacity=".75" filter="url(#{id}softer)"/>
<path d="M-34 96c10 14 22 6 34 8c12-2 24 6 34-8" fill="none" stroke="#8c4a3a" stroke-width="7" stroke-linecap="round" opacity=".6"/>
<ellipse cx="-6" cy="66" rx="15" ry="26" fill="#fff" opacity=".3" filter="url(#{id}softer)"/>"##
    );
    if beard {
        let _ = write!(
            out,
            r##"<path d="M-206 30C-196 150-150 308 0 312C150 308 196 150 206 30C176 100 140 118 92 122Q0 108-92 122C-140 118-176 100-206 30Z" fill="url(#{id}hair)"/>
<path d="M-206 30C-196 150-150 308 0 312C150 308 196 150 206 30" fill="none" stroke="{hair}" stroke-width="10" opacity=".5" filter="url(#{id}softer)"/>"##
        );
    }
    out.push_str(
        r##"<path d="M-92 152Q0 176 92 152C76 214 36 232 0 232C-36 232-76 214-92 152Z" fill="#7c2a2c"/>
<path d="M-82 157Q0 180 82 157C74 178 60 188 0 190C-60 188-74 178-82 157Z" fill="#fdfaf5"/>
<path d="M-96 151C-60 136-26 132 0 142C26 132 60 136 96 151Q0 178-96 151Z" fill="#b4514e"/>
<path d="M-66 206C-30 230 30 230 66 206C40 250-40 250-66 206Z" fill="#c9625d"/>"##,
    );
    out.push_str(&front_hair(id, *style, hair, hair_light));
    out
}

fn curls(seed: u64, id: &str, hair: &str, count: usize, front: bool) -> String {
    let mut random = Random::new(seed);
    let mut out = String::new();
    for _ in 0..count {
        let turn = if front { random.between(3.5, 5.93) } else { random.between(2.4, 7.0) };
        let (rx, ry) = if front { (205.0, 235.0) } else { (265.0, 290.0) };
        let (x, y) = (libm::cos(turn) * rx, libm::sin(turn) * ry - 70.0);
        let r = random.between(34.0, 66.0);
        let (x, y) = (x + random.symmetric() * 22.0, y + random.symmetric() * 22.0);
        let fill = if random.unit() < 0.7 { format!("url(#{id}hair)") } else { hair.to_owned() };
        let _ = write!(out, r##"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="{fill}"/>"##);
    }
    out
}

fn back_hair(id: &str, style: Style, hair: &str) -> String {
    match style {
        Style::Curly => curls(5, id, hair, 110, false),
        Style::Bob => format!(
            r##"<path d="M-268 250C-330-40-290-370 0-372C290-370 330-40 268 250C250 330-250 330-268 250Z" fill="url(#{id}hair)"/>"##
        ),
        Style::Short | Style::Tousled => format!(
            r##"<path d="M-232 20C-262-260-160-350 0-350C160-350 262-260 232 20L190-60H-190Z" fill="url(#{id}hair)"/>"##
        ),
    }
}

fn front_hair(id: &str, style: Style, hair: &str, light: &str) -> String {
    match style {
        Style::Curly => curls(11, id, hair, 46, true),
        Style::Bob => format!(
            r##"<path d="M-262 180C-300-60-270-330-20-352C-60-250-130-190-196-150C-228-80-214 60-226 180C-236 214-256 214-262 180Z" fill="url(#{id}hair)"/><path d="M262 180C300-60 270-340-30-352C20-240 130-190 196-140C228-70 214 60 226 180C236 214 256 214 262 180Z" fill="url(#{id}hair)"/><path d="M40-330C140-300 220-200 236-60M-60-330C-160-290-230-180-240-40" fill="none" stroke="{light}" stroke-width="8" opacity=".5"/>"##
        ),
        Style::Short => format!(
            r##"<path d="M-226-40C-246-250-190-356 10-360C190-356 250-240 226-40C212-130 190-176 150-206C60-176-110-176-160-214C-200-176-214-120-226-40Z" fill="url(#{id}hair)"/><path d="M-140-300C-60-336 60-336 140-296" fill="none" stroke="{light}" stroke-width="9" opacity=".45"/>"##
        ),
        Style::Tousled => format!(
            r##"<path d="M-230-10C-262-230-220-330-130-350L-150-410L-60-366L-30-440L30-370L100-420L110-352C220-330 262-230 230-10C224-90 200-140 180-170L120-130L80-190L10-136L-40-196L-96-134L-150-190C-190-150-220-100-230-10Z" fill="url(#{id}hair)"/><path d="M-120-330L-60-260M0-360L10-270M90-340L60-270" stroke="{light}" stroke-width="9" stroke-linecap="round" opacity=".5"/>"##
        ),
    }
}
