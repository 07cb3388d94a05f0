//! A PDF page as the comparison needs it: exactly the area that our PNG shows, on the same paper.
//!
//! The page's media box becomes the area; a renderer then stretches it to whole pixels, as our
//! PNG does. A coloured paper is painted beneath the page's art, which becomes one isolated
//! group (as the page is one, ISO 32000-1, 11.4.7), so that blend modes in it do not see the
//! paper.

use super::picture::Paper;
use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use std::path::{Path, PathBuf};

/// Which box of a page is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageArea {
    Trim,
    Bleed,
}

/// Writes a copy of the document whose page (from 1) is just the area, on white or another paper.
pub fn isolate(pdf: &Path, page: u32, area: PageArea, paper: Option<Paper>, to: &Path) -> PathBuf {
    let mut document = Document::load(pdf).unwrap_or_else(|e| panic!("{}: {e}", pdf.display()));
    let id =
        *document.get_pages().get(&page).unwrap_or_else(|| panic!("{} has no page {page}", pdf.display()));
    let key: &[u8] = match area {
        PageArea::Trim => b"TrimBox",
        PageArea::Bleed => b"BleedBox",
    };
    let page = document.get_dictionary(id).expect("a page").clone();
    let media =
        numbers(page.get(key).unwrap_or_else(|_| panic!("the page has no {}", String::from_utf8_lossy(key))));

    let mut changed = page.clone();
    for name in ["CropBox", "BleedBox", "TrimBox", "ArtBox"] {
        changed.remove(name.as_bytes());
    }
    changed.set("MediaBox", reals(media));
    if let Some(paper) = paper {
        let (contents, resources) = on_paper(&mut document, id, &page, media, paper);
        changed.set("Contents", contents);
        changed.set("Resources", resources);
    }
    document.objects.insert(id, Object::Dictionary(changed));
    document.save(to).expect("a writable folder");
    to.to_owned()
}

/// The page's art as one isolated group on a rectangle of paper: new contents and resources.
fn on_paper(
    document: &mut Document,
    id: lopdf::ObjectId,
    page: &Dictionary,
    media: [f64; 4],
    paper: Paper,
) -> (Object, Object) {
    let art = document.get_page_content(id);
    let mut group = page.get(b"Group").and_then(Object::as_dict).cloned().unwrap_or_else(|_| {
        dictionary! { "Type" => "Group", "S" => Object::Name(b"Transparency".to_vec()) }
    });
    group.set("I", true);
    let form = Stream::new(
        dictionary! {
            "Type" => "XObject", "Subtype" => "Form", "BBox" => reals(media),
            "Resources" => page.get(b"Resources").cloned().unwrap_or_else(|_| Dictionary::new().into()),
            "Group" => group,
        },
        art,
    );
    let form = document.add_object(form);
    let [r, g, b] = paper.map(|c| f64::from(c) / 255.0);
    let [x, y, w, h] = [media[0], media[1], media[2] - media[0], media[3] - media[1]];
    let text =
        format!("q {r:.6} {g:.6} {b:.6} rg {} {} {} {} re f Q /Art Do", x - 1.0, y - 1.0, w + 2.0, h + 2.0);
    let contents = document.add_object(Stream::new(Dictionary::new(), text.into_bytes()));
    let resources = dictionary! { "XObject" => dictionary! { "Art" => Object::Reference(form) } };
    (Object::Reference(contents), resources.into())
}

fn reals(values: [f64; 4]) -> Object {
    Object::Array(values.map(|v| Object::Real(v as f32)).to_vec())
}

fn numbers(array: &Object) -> [f64; 4] {
    let values: Vec<f64> = array
        .as_array()
        .expect("a box is an array")
        .iter()
        .map(|v| f64::from(v.as_float().expect("a box has numbers")))
        .collect();
    values.try_into().expect("a box has four numbers")
}
