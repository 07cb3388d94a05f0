//! Art from bytes to nodes: what is refused, what is found, what comes out.

use super::*;
use crate::scene::{Color, Ink, MaskKind, Node, Paint, PathNode};
use indexmap::IndexMap;
use std::io::Write;

fn fonts() -> Arc<fontdb::Database> {
    let mut fonts = fontdb::Database::new();
    for font in typst_assets::fonts() {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family("DejaVu Sans Mono");
    fonts.set_serif_family("Libertinus Serif");
    Arc::new(fonts)
}

fn svg(body: &str) -> Vec<u8> {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='100' height='100'>{body}</svg>"
    )
    .into_bytes()
}

fn load(body: &str) -> Result<Art, Violations> {
    Art::load(&svg(body), fonts(), &Limits::default())
}

fn code(body: &str) -> Code {
    load(body).unwrap_err().0[0].code
}

fn holds_type(group: &Group) -> bool {
    group.readable || group.nodes.iter().any(|node| matches!(node, Node::Group(group) if holds_type(group)))
}

fn paths(group: &Group) -> Vec<Arc<PathNode>> {
    let mut out = Vec::new();
    for node in &group.nodes {
        match node {
            Node::Group(group) => out.extend(paths(group)),
            Node::Path(path) => out.push(path.clone()),
            Node::Image(_) | Node::Pattern(_) | Node::Filter(_) | Node::Separation(_) => {}
        }
    }
    out
}

fn fills(group: &Group) -> Vec<Option<Paint>> {
    paths(group).iter().map(|path| path.fill.as_ref().map(|fill| fill.paint.clone())).collect()
}

fn spot() -> Ink {
    Ink::Spot { name: "Gold".into(), tint: 1.0, alternate: Color::rgb8(200, 150, 0) }
}

fn is_spot(paint: &Option<Paint>) -> bool {
    matches!(paint, Some(Paint::Solid(Ink::Spot { .. })))
}

#[test]
fn hostile_art_gets_its_code() {
    let mut laughs = String::from("<!DOCTYPE svg [<!ENTITY a0 'haha'>");
    (1..10).for_each(|i| laughs += &format!("<!ENTITY a{i} '{}'>", format!("&a{};", i - 1).repeat(10)));
    laughs += "]><svg xmlns='http://www.w3.org/2000/svg'><text>&a9;</text></svg>";
    let whole = |xml: &str| Art::load(xml.as_bytes(), fonts(), &Limits::default()).unwrap_err().0[0].code;
    assert_eq!(whole(&laughs), Code::SvgEntityLimit);
    assert_eq!(
        whole("<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>"),
        Code::SvgExternalRef
    );
    assert_eq!(whole("<svg xmlns='http://www.w3.org/2000/svg'><rect"), Code::ImageCorrupt);
    assert_eq!(whole("<html/>"), Code::AssetTypeUnsupported);
    assert_eq!(
        whole(
            "<svg xmlns='http://www.w3.org/2000/svg' width='0' height='5'><rect width='5' height='5'/></svg>"
        ),
        Code::SvgEmpty
    );
    assert_eq!(code(&"<g>".repeat(100_000)), Code::SvgDepthLimit);
    assert_eq!(code(&"<path/>".repeat(300_000)), Code::SvgNodeLimit);
    assert_eq!(code("<image href='/etc/passwd' width='9' height='9'/>"), Code::SvgExternalRef);
    assert_eq!(code("<g id='a'><use href='#a'/></g>"), Code::SvgRecursion);
    assert_eq!(code("<rect width='10' height='10' fill='none'/>"), Code::SvgEmpty);
    assert_eq!(code("<rect x='500' width='10' height='10'/>"), Code::SvgEmpty);
    assert_eq!(
        code(
            "<mask id='m'><rect width='10' height='10' fill='black'/></mask><rect width='10' height='10' mask='url(#m)'/>"
        ),
        Code::SvgEmpty
    );
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..2_000).for_each(|_| gz.write_all(&[b' '; 10_000]).unwrap());
    let bomb = Art::load(&gz.finish().unwrap(), fonts(), &Limits::default());
    assert_eq!(bomb.unwrap_err().0[0].code, Code::SvgTooLarge);
}

#[test]
fn what_is_dear_by_a_number_is_refused_or_not_tried() {
    let filtered = |effect: &str| {
        format!("<filter id='f'>{effect}</filter><rect width='90' height='90' filter='url(#f)'/>")
    };
    assert_eq!(
        code(&filtered("<feTurbulence baseFrequency='1' numOctaves='4000000000'/>")),
        Code::SvgTooComplex
    );
    assert_eq!(code(&filtered(&"<feFlood/>".repeat(1001))), Code::SvgTooComplex);
    let pattern = "<pattern id='p' width='9e8' height='9e8' patternUnits='userSpaceOnUse'><rect width='9' height='9'/></pattern>";
    let huge =
        load(&format!("{pattern}<g clip-path='url(#c)'><rect width='90' height='90' fill='url(#p)'/></g>"))
            .unwrap();
    assert!(matches!(fills(&huge.group(&Recolor::default()).unwrap())[0], Some(Paint::Tiling(_))));
    assert!(load(&filtered("<feMorphology operator='dilate' radius='1e9'/>")).is_ok());
    assert_eq!(code(&filtered("<feGaussianBlur stdDeviation='1e9'/>")), Code::SvgTooComplex);
    assert_eq!(code(&filtered("<feDropShadow stdDeviation='1e9'/>")), Code::SvgTooComplex);
    assert!(load(&filtered("<feGaussianBlur stdDeviation='30'/>")).is_ok());
}

#[test]
fn large_art_stays_quick() {
    let many = |n: usize, one: &str| one.repeat(n);
    assert!(load(&many(100_000, "<path d='M0 0h9v9z'/>")).is_ok());
    assert!(load(&format!("<path d='M0 0{}z'/>", many(800_000, "l1 2-1-1"))).is_ok());
    let gradient = "<linearGradient id='g'><stop stop-color='red'/><stop offset='1'/></linearGradient>";
    assert!(
        load(&format!("{gradient}{}", many(30_000, "<rect width='9' height='9' fill='url(#g)'/>"))).is_ok()
    );
    let styled = format!(
        "<style>{}</style>{}",
        many(2_000, ".a{fill:red}"),
        many(50_000, "<path class='b' d='M0 0h9v9z'/>")
    );
    assert!(load(&styled).is_ok());
    assert_eq!(
        code(&format!("<style>{}</style>{}", many(20_000, ".a{}"), many(50_000, "<path/>"))),
        Code::SvgNodeLimit
    );
    let picture = format!(
        "<image id='i' width='9' height='9' href='data:image/png;base64,{}'/>",
        "A".repeat(4_000_000)
    );
    assert_eq!(code(&format!("{picture}{}", many(1_000, "<use href='#i'/>"))), Code::SvgNodeLimit);
    let dashes = "<path d='M0 0H1e7' stroke='red' stroke-dasharray='0.00001 0.00001'/>";
    assert!(load(&format!("<rect width='9' height='9'/>{dashes}")).is_ok());
}

#[test]
fn drawings_inside_drawings_end_somewhere() {
    let nest = |levels: usize| {
        let mut inner = String::from_utf8(svg("<rect width='50' height='50'/>")).unwrap();
        for _ in 0..levels {
            let uri: String = inner.bytes().map(|b| format!("%{b:02x}")).collect();
            inner = String::from_utf8(svg(&format!(
                "<image width='90' height='90' href='data:image/svg+xml,{uri}'/>"
            )))
            .unwrap();
        }
        Art::load(inner.as_bytes(), fonts(), &Limits::default())
    };
    assert_eq!(paths(&nest(3).unwrap().group(&Recolor::default()).unwrap()).len(), 1);
    assert_eq!(nest(4).unwrap_err().0[0].code, Code::SvgNestingLimit);
    let outside = "<image width='9' height='9' href=\"data:image/svg+xml,&lt;svg xmlns='http://www.w3.org/2000/svg'>&lt;image href='/etc/passwd'/>&lt;/svg>\"/>";
    assert_eq!(code(outside), Code::SvgExternalRef);
}

#[test]
fn swatches_follow_css_use_currentcolor_and_stops() {
    let art = load(
        "<style>.a{fill:#f00}</style><linearGradient id='g'><stop stop-color='red'/><stop offset='1' stop-color='blue'/></linearGradient>
         <defs><rect id='r' width='10' height='10' fill='rgb(255,0,0)'/></defs>
         <rect class='a' width='10' height='10'/><use href='#r' x='20'/>
         <g color='#ff0000'><rect y='20' width='10' height='10' fill='currentColor'/></g>
         <rect y='40' width='10' height='10' fill='url(#g)'/><rect y='60' width='10' height='10' fill='#fe0000'/>",
    )
    .unwrap();
    let recolor = Recolor { swatches: vec![(Color::rgb8(255, 0, 0), spot())], ..Recolor::default() };
    let fills = fills(&art.group(&recolor).unwrap());
    assert_eq!(fills.iter().map(is_spot).collect::<Vec<_>>(), [true, true, true, false, false]);
    let Some(Paint::Linear(gradient)) = &fills[3] else { panic!("a gradient") };
    assert_eq!(gradient.stops.stops[0].1, spot());
    assert_eq!(gradient.stops.stops[1].1, Color::rgb8(0, 0, 255).into());
}

#[test]
fn ids_follow_descendants_and_use_and_never_fill_what_was_empty() {
    let art = load(
        "<defs><g id='leaf'><rect width='10' height='10' fill='green' style='fill:green'/></g></defs>
         <use href='#leaf'/><g id='hat'><path d='M0 50h10v10z' fill='red'/><path d='M20 50h10v10z' fill='none' stroke='red'/>
         <g id='band'><path d='M40 50h10v10z'/></g></g><path d='M60 50h10v10z' fill='red'/>",
    )
    .unwrap();
    let paint = |ink: Ink| IdPaint { fill: Some(ink), stroke: None };
    let blue: Ink = Color::rgb8(0, 0, 255).into();
    let ids = [("leaf", spot()), ("hat", spot()), ("band", blue.clone())];
    let ids = ids.into_iter().map(|(id, ink)| (id.to_owned(), paint(ink))).collect();
    let group = art.group(&Recolor { ids, ..Recolor::default() }).unwrap();
    let fills = fills(&group);
    assert!(is_spot(&fills[0]) && is_spot(&fills[1]) && fills[2].is_none() && !is_spot(&fills[4]));
    assert!(matches!(&fills[3], Some(Paint::Solid(ink)) if *ink == blue));
    let strokes: Vec<_> = paths(&group).iter().filter_map(|path| path.stroke.clone()).collect();
    assert!(matches!(&strokes[..], [stroke] if matches!(stroke.paint, Paint::Solid(Ink::Process(_)))));
    let unknown = IndexMap::from([("nobody".to_owned(), paint(spot()))]);
    assert_eq!(
        art.group(&Recolor { ids: unknown, ..Recolor::default() }).unwrap_err().code,
        Code::TemplateInvalid
    );
}

#[test]
fn everything_in_one_ink() {
    let art = load("<rect width='10' height='10' fill='white'/><circle cx='50' cy='50' r='9' fill='none' stroke='#123456'/>").unwrap();
    let group = art.group(&Recolor { all: Some(spot()), ..Recolor::default() }).unwrap();
    assert!(fills(&group).iter().flatten().all(|paint| is_spot(&Some(paint.clone()))));
    assert!(paths(&group).iter().filter_map(|p| p.stroke.as_ref()).all(|s| is_spot(&Some(s.paint.clone()))));
}

#[test]
fn a_filtered_group_is_one_node_and_is_recoloured_inside() {
    let body = "<filter id='f' x='-20%' width='140%'><feGaussianBlur stdDeviation='2'/></filter>
         <g transform='translate(10 5)'><g id='glow' filter='url(#f)'><rect width='50' height='50' fill='#ff0000'/></g></g>";
    let art = load(body).unwrap();
    let filter = |recolor: &Recolor| {
        fn find(group: &Group) -> Option<Arc<crate::scene::FilterNode>> {
            group.nodes.iter().find_map(|node| match node {
                Node::Group(group) => find(group),
                Node::Filter(filter) => Some(filter.clone()),
                Node::Path(_) | Node::Image(_) | Node::Pattern(_) | Node::Separation(_) => None,
            })
        }
        find(&art.group(recolor).unwrap()).unwrap()
    };
    fn inner(node: &usvg::Node) -> Option<usvg::Color> {
        match node {
            usvg::Node::Group(group) => group.children().iter().find_map(inner),
            usvg::Node::Path(path) => path.fill().and_then(|fill| match fill.paint() {
                usvg::Paint::Color(color) => Some(*color),
                usvg::Paint::LinearGradient(_) | usvg::Paint::RadialGradient(_) | usvg::Paint::Pattern(_) => {
                    None
                }
            }),
            usvg::Node::Image(_) | usvg::Node::Text(_) => None,
        }
    }
    let plain = filter(&Recolor::default());
    let near = |a: Rect, b: Rect| {
        (a.x0 - b.x0).abs() + (a.y0 - b.y0).abs() + (a.x1 - b.x1).abs() + (a.y1 - b.y1).abs() < 1e-3
    };
    assert!(near(plain.bounds, Rect::new(-10.0, -5.0, 60.0, 55.0)));
    let green: Ink = Color::rgb8(0, 128, 0).into();
    let swatch = Recolor { swatches: vec![(Color::rgb8(255, 0, 0), green.clone())], ..Recolor::default() };
    let by_id = IndexMap::from([("glow".to_owned(), IdPaint { fill: Some(green), stroke: None })]);
    for recolor in [swatch, Recolor { ids: by_id, ..Recolor::default() }] {
        let changed = filter(&recolor);
        assert_eq!(inner(&changed.svg), Some(usvg::Color::new_rgb(0, 128, 0)));
        assert_ne!(changed.key, plain.key);
        assert!(near(changed.bounds, plain.bounds));
    }
    assert!(art.check_filters(10.0, 100_000_000).is_ok());
    assert_eq!(art.check_filters(1000.0, 100_000_000).unwrap_err().code, Code::SvgTooComplex);
}

#[test]
fn clips_and_masks_keep_their_meaning() {
    let art = load(
        "<clipPath id='c'><rect width='20' height='20'/><text x='0' y='50'>Hi</text></clipPath>
         <clipPath id='k'><rect width='30' height='30' clip-path='url(#c)'/></clipPath>
         <mask id='m' mask-type='alpha'><rect width='50' height='50'/></mask>
         <rect width='60' height='60' clip-path='url(#c)'/><rect width='60' height='60' clip-path='url(#k)' mask='url(#m)'/>",
    )
    .unwrap();
    let group = art.group(&Recolor::default()).unwrap();
    let [Node::Group(first), Node::Group(second)] = &group.nodes[..] else { panic!("two groups") };
    assert_eq!((first.clips.len(), first.clips[0].paths.len()), (1, 2));
    assert!(second.mask.as_ref().is_some_and(|mask| mask.kind == MaskKind::Alpha));
    let [Node::Group(inner)] = &second.nodes[..] else { panic!("the clip is a mask inside") };
    assert!(inner.mask.is_some());
}

#[test]
fn designers_slots_are_found_even_when_hidden() {
    let art = load(
        "<rect width='90' height='90'/><g transform='translate(10 20) scale(2)'><rect id='slot' width='10' height='5' fill='none'/></g>
         <g id='layer' style='display:none'><rect id='hidden' x='30' y='30' width='8' height='9'/></g>",
    )
    .unwrap();
    assert_eq!(art.element_box("slot"), Some(Rect::new(10.0, 20.0, 30.0, 30.0)));
    assert_eq!(art.element_box("hidden"), Some(Rect::new(30.0, 30.0, 38.0, 39.0)));
    assert_eq!(art.element_box("nobody"), None);
    assert!(art.element_path("slot").is_some());
}

#[test]
fn missing_fonts_are_named_and_text_becomes_outlines() {
    let art = load("<text y='50' font-family='No Such Face, serif'>Hi</text>").unwrap();
    assert!(holds_type(&art.group(&Recolor::default()).unwrap()), "its black is printed as that of type");
    assert!(!holds_type(&load("<rect width='9' height='9'/>").unwrap().group(&Recolor::default()).unwrap()));
    assert!(art.findings().is_empty());
    let art = load("<text y='50' font-family='No Such Face'>Hi</text>").unwrap();
    assert_eq!(art.findings()[0].code, Code::SvgFontMissing);
    assert!(!art.findings()[0].detail.contains("No Such"));
    assert_eq!(art.missing_fonts(), ["No Such Face"]);
    assert!(!paths(&art.group(&Recolor::default()).unwrap()).is_empty());
}

#[test]
fn flipped_bytes_never_panic() {
    let good = svg(
        "<style>.a{fill:red}</style><defs><linearGradient id='g'><stop offset='0.2'/></linearGradient></defs>
         <g class='a' transform='rotate(9)'><path d='M0 0C1 2 3 4 55 66z' stroke='url(#g)' stroke-dasharray='1 2'/></g><use href='#g'/>",
    );
    let fonts = fonts();
    let mut seed = 1_u32;
    for _ in 0..1500 {
        let mut bad = good.clone();
        for _ in 0..1 + seed % 3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 8) as usize % bad.len();
            bad[at] ^= 1 << (seed >> 5 & 7);
        }
        if let Ok(art) = Art::load(&bad, fonts.clone(), &Limits::default()) {
            let _ = art.group(&Recolor::default());
        }
    }
}
