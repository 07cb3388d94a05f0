//! Prepared pictures: decoded, adjusted, matted, premultiplied, turned, and perhaps resized.

use super::colorants::Colorants;
use super::layer::{Area, Layer};
use super::picture::PictureSpec;
use super::sample::{Pixel, Sample};
use crate::asset::resample::{Grid, resample};
use crate::asset::{Pixels, adjust, lanczos};
use crate::control::Control;
use crate::error::Violation;
use fast_image_resize::{ResizeOptions, Resizer};
use kurbo::Rect;
use std::cell::RefCell;

thread_local! {
    /// The resampler's tables and its intermediate rows, kept from use to use.
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// Pixels that bands read: three components where opaque, else four, premultiplied.
#[derive(Debug, Clone)]
pub(super) struct Texture<S> {
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    /// Components of a pixel: 3 or 4.
    pub(super) channels: usize,
    /// Row by row.
    pub(super) data: Vec<S>,
}

/// Prepares a picture, in a pass's colours.
pub(super) fn load<S: Sample>(
    spec: &PictureSpec,
    colorants: &Colorants,
    control: Control<'_>,
) -> Result<Texture<S>, Violation> {
    if let Some(inks) = colorants.own_inks::<S>(&spec.node, control)? {
        return prepared(spec, inks);
    }
    let node = &spec.node;
    let shrink = shrink(spec);
    let mut pixels = node.picture.decode_for(S::DEPTH, shrink, control)?;
    if let Some(matte) = &node.matte {
        adjust::apply_matte(&mut pixels, &matte.decode_for(S::DEPTH, 1, control)?)?;
    }
    adjust::apply(&mut pixels, &node.adjust, spec.px_per_mm);
    let mut texture = prepared(spec, pixels)?;
    colorants.convert(&mut texture.data, texture.channels)?;
    Ok(texture)
}

/// Premultiplied, turned, and perhaps resized.
fn prepared<S: Sample>(spec: &PictureSpec, pixels: Pixels) -> Result<Texture<S>, Violation> {
    // Kinds of files that cannot be decoded smaller come whole.
    let divisor = f64::from(spec.node.picture.size().0) / f64::from(pixels.width);
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let (data, channels) = S::take(pixels.data);
    let mut texture = Texture { width, height, channels, data };
    if texture.channels == 4 {
        premultiply(&mut texture.data);
    }
    let mut texture = turned(texture, spec);
    if let Some((crop, size)) = spec.resize {
        texture = texture.resized(crop.scale_from_origin(1.0 / divisor), size)?;
    }
    Ok(texture)
}

/// How much smaller a picture may be decoded: it is resampled once, and stays at least as large as it
/// is shown. Mattes are made for whole pictures.
fn shrink(spec: &PictureSpec) -> u32 {
    let Some((crop, (width, height))) = spec.resize else { return 1 };
    let node = &spec.node;
    if node.matte.is_some() {
        return 1;
    }
    let spare = (crop.width() / f64::from(width)).min(crop.height() / f64::from(height));
    adjust::shrink(&node.picture, &node.adjust, spare)
}

fn premultiply<S: Sample>(data: &mut [S]) {
    for pixel in data.chunks_exact_mut(4) {
        let alpha = pixel[3];
        if alpha != S::MAX {
            for c in &mut pixel[..3] {
                *c = c.mul(alpha);
            }
        }
    }
}

fn turned<S: Sample>(texture: Texture<S>, spec: &PictureSpec) -> Texture<S> {
    if !(spec.transpose || spec.flip_x || spec.flip_y) {
        return texture;
    }
    let (w, h, n) = (texture.width, texture.height, texture.channels);
    let (width, height) = if spec.transpose { (h, w) } else { (w, h) };
    let mut data = Vec::with_capacity(texture.data.len());
    for y in 0..height {
        let y = if spec.flip_y { height - 1 - y } else { y };
        for x in 0..width {
            let x = if spec.flip_x { width - 1 - x } else { x };
            let at = if spec.transpose { x * w + y } else { y * w + x };
            data.extend_from_slice(&texture.data[at * n..(at + 1) * n]);
        }
    }
    Texture { width, height, channels: n, data }
}

impl<S: Sample> Texture<S> {
    /// A rectangle of it, at another size.
    pub(super) fn resized(&self, crop: Rect, (width, height): (u32, u32)) -> Result<Texture<S>, Violation> {
        let mut data = vec![S::ZERO; width as usize * height as usize * self.channels];
        self.resample(crop, (width, height), &mut data)?;
        Ok(Texture { width: width as usize, height: height as usize, channels: self.channels, data })
    }

    /// Resamples a rectangle into `out`, Lanczos3.
    pub(super) fn resample(
        &self,
        crop: Rect,
        (width, height): (u32, u32),
        out: &mut [S],
    ) -> Result<(), Violation> {
        let (w, h) = (self.width as f64, self.height as f64);
        let left = crop.x0.clamp(0.0, w);
        let top = crop.y0.clamp(0.0, h);
        let (crop_w, crop_h) = ((crop.x1.min(w) - left).max(0.0), (crop.y1.min(h) - top).max(0.0));
        let n = self.channels;
        if [left, top, crop_w, crop_h].iter().all(|v| *v == v.floor())
            && (crop_w, crop_h) == (f64::from(width), f64::from(height))
        {
            // Pixel for pixel.
            let rows = out.chunks_exact_mut(width as usize * n);
            for (row, y) in rows.zip(top as usize..) {
                let start = (y * self.width + left as usize) * n;
                row.copy_from_slice(&self.data[start..start + row.len()]);
            }
            return Ok(());
        }
        let options = ResizeOptions::new()
            .resize_alg(lanczos::lanczos3())
            .crop(left, top, crop_w, crop_h)
            .use_alpha(false);
        let (source, size) = (bytemuck::cast_slice(&self.data), (self.width as u32, self.height as u32));
        RESIZER.with_borrow_mut(|resizer| {
            resample(
                resizer,
                S::pixel_type(n),
                Grid { bytes: source, size },
                Grid { bytes: bytemuck::cast_slice_mut(out), size: (width, height) },
                &options,
            )
        })?;
        if n == 4 {
            // The filter overshoots: no component may exceed its alpha.
            for pixel in out.chunks_exact_mut(4) {
                let alpha = pixel[3];
                for c in &mut pixel[..3] {
                    *c = (*c).min(alpha);
                }
            }
        }
        Ok(())
    }

    /// The same pixels with four components.
    pub(super) fn into_layer(self) -> Layer<S> {
        let area = Area::new(0, 0, self.width as i32, self.height as i32);
        let data = self.data.chunks_exact(self.channels).map(pixel_of).collect();
        Layer { area, data }
    }
}

/// A pixel of three or four components, as four.
#[inline(always)]
pub(super) fn pixel_of<S: Sample>(components: &[S]) -> Pixel<S> {
    match components {
        [r, g, b, a] => [*r, *g, *b, *a],
        [r, g, b] => [*r, *g, *b, S::MAX],
        // Textures have three or four components.
        _other => [S::ZERO; 4],
    }
}
