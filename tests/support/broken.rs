//! A print file of our own with one thing changed: short ways into its objects.

#![allow(clippy::wildcard_enum_match_arm, reason = "PDF objects of another library's")]
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

/// A document under the knife.
pub struct Patient {
    pub pdf: Document,
    pages: Vec<ObjectId>,
}

impl Patient {
    pub fn new(bytes: &[u8]) -> Patient {
        let pdf = Document::load_mem(bytes).unwrap();
        let pages = pdf.get_pages().into_values().collect();
        Patient { pdf, pages }
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.pdf.save_to(&mut out).unwrap();
        out
    }

    pub fn catalog(&mut self) -> &mut Dictionary {
        self.pdf.catalog_mut().unwrap()
    }

    /// The dictionary behind a key of the catalog, or the first of a list there.
    pub fn of_catalog(&mut self, key: &str) -> &mut Dictionary {
        let mut found = self.catalog().get(key.as_bytes()).unwrap().clone();
        if let Object::Array(items) = &found {
            found = items[0].clone();
        }
        match found {
            Object::Reference(id) => self.pdf.get_dictionary_mut(id).unwrap(),
            _ => self.catalog().get_mut(key.as_bytes()).unwrap().as_dict_mut().unwrap(),
        }
    }

    pub fn info(&mut self) -> &mut Dictionary {
        let id = self.pdf.trailer.get(b"Info").unwrap().as_reference().unwrap();
        self.pdf.get_dictionary_mut(id).unwrap()
    }

    /// Replaces text of the XMP packet; the text has to be there.
    pub fn xmp(&mut self, from: &str, to: &str) {
        let id = self.catalog().get(b"Metadata").unwrap().as_reference().unwrap();
        let stream = self.pdf.get_object_mut(id).unwrap().as_stream_mut().unwrap();
        let text = String::from_utf8(stream.content.clone()).unwrap();
        assert!(text.contains(from), "{text} has no {from}");
        stream.set_content(text.replace(from, to).into_bytes());
    }

    pub fn page(&mut self, index: usize) -> &mut Dictionary {
        let id = self.pages[index];
        self.pdf.get_dictionary_mut(id).unwrap()
    }

    pub fn page_id(&self, index: usize) -> ObjectId {
        self.pages[index]
    }

    /// A box of the first page.
    pub fn area(&mut self, key: &str) -> [f32; 4] {
        let list = self.page(0).get(key.as_bytes()).unwrap().as_array().unwrap();
        std::array::from_fn(|i| list[i].as_float().unwrap())
    }

    /// Moves the sides of a box of a page, in points.
    pub fn resize(&mut self, index: usize, key: &str, by: [f32; 4]) {
        let list = self.page(index).get_mut(key.as_bytes()).unwrap().as_array_mut().unwrap();
        for (side, by) in list.iter_mut().zip(by) {
            *side = Object::Real(side.as_float().unwrap() + by);
        }
    }

    /// The page's content from before to after.
    pub fn content(&mut self, index: usize, change: impl FnOnce(String) -> String) {
        let id = self.pages[index];
        let bytes = self.pdf.get_page_content(id);
        let text: String = bytes.iter().map(|b| char::from(*b)).collect();
        let bytes = change(text).chars().map(|c| c as u8).collect();
        self.pdf.change_page_content(id, bytes).unwrap();
    }

    /// Draws more, after everything else; the middle of the first page is at `x`, `y`.
    pub fn draw(&mut self, operators: impl FnOnce(f32, f32) -> String) {
        let [x0, y0, x1, y1] = self.area("TrimBox");
        let more = operators(f32::midpoint(x0, x1), f32::midpoint(y0, y1));
        self.content(0, |text| format!("q {text}\nQ\n{more}\n"));
    }

    /// A category of the first page's resources.
    pub fn resources(&mut self, category: &str) -> &mut Dictionary {
        let own = match self.page(0).get(b"Resources").unwrap() {
            Object::Reference(id) => Some(*id),
            _ => None,
        };
        let inner = {
            let all = match own {
                Some(id) => self.pdf.get_dictionary_mut(id).unwrap(),
                None => self.page(0).get_mut(b"Resources").unwrap().as_dict_mut().unwrap(),
            };
            if !all.has(category.as_bytes()) {
                all.set(category, Dictionary::new());
            }
            all.get(category.as_bytes()).unwrap().as_reference().ok()
        };
        if let Some(id) = inner {
            return self.pdf.get_dictionary_mut(id).unwrap();
        }
        let all = match own {
            Some(id) => self.pdf.get_dictionary_mut(id).unwrap(),
            None => self.page(0).get_mut(b"Resources").unwrap().as_dict_mut().unwrap(),
        };
        all.get_mut(category.as_bytes()).unwrap().as_dict_mut().unwrap()
    }

    /// Adds an object to a category of the first page's resources.
    pub fn add(&mut self, category: &str, name: &str, object: impl Into<Object>) {
        let id = self.pdf.add_object(object);
        self.resources(category).set(name, Object::Reference(id));
    }

    /// The name of the first resource of a category whose object passes.
    pub fn named(&mut self, category: &str, is: impl Fn(&Object) -> bool) -> String {
        let all = self.resources(category).clone();
        for (name, object) in all.iter() {
            let (_, object) = self.pdf.dereference(object).unwrap();
            if is(object) {
                return String::from_utf8(name.clone()).unwrap();
            }
        }
        panic!("no such {category}: {all:?}")
    }

    /// Every graphics state of the document that passes.
    pub fn states(&mut self, is: impl Fn(&Dictionary) -> bool) -> Vec<&mut Dictionary> {
        let dicts = self.pdf.objects.values_mut().filter_map(|object| object.as_dict_mut().ok());
        dicts.filter(|dict| dict.has_type(b"ExtGState") && is(dict)).collect()
    }

    /// A picture of the document.
    pub fn picture(&mut self) -> &mut Dictionary {
        let streams = self.pdf.objects.values_mut().filter_map(|object| object.as_stream_mut().ok());
        let mut pictures = streams
            .filter(|stream| stream.dict.get(b"Subtype").and_then(Object::as_name).ok() == Some(b"Image"));
        &mut pictures.next().unwrap().dict
    }

    /// An exponential function between two colours of four inks.
    pub fn to(inks: [f32; 4]) -> Dictionary {
        let end: Vec<Object> = inks.into_iter().map(Object::Real).collect();
        dictionary! {
            "FunctionType" => 2, "N" => 1,
            "Domain" => vec![0.into(), 1.into()],
            "C0" => vec![0.into(), 0.into(), 0.into(), 0.into()],
            "C1" => end,
        }
    }

    /// A spot ink's colour space.
    pub fn spot(plate: &str, inks: [f32; 4]) -> Object {
        let name = |text: &str| Object::Name(text.as_bytes().to_vec());
        vec![name("Separation"), name(plate), name("DeviceCMYK"), Patient::to(inks).into()].into()
    }

    /// A stream that nothing has to draw.
    pub fn stream(entries: Dictionary, data: &[u8]) -> Stream {
        Stream::new(entries, data.to_vec()).with_compression(false)
    }
}
