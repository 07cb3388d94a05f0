//! The scenes, as SVG.

use crate::faces::{Look, Style, face};
use crate::random::{Random, ridges};
use std::fmt::Write;

/// A soft out-of-focus ground: a gradient and discs of light.
fn bokeh(seed: u64, width: f64, height: f64, top: &str, bottom: &str, lights: &[&str]) -> String {
    let mut random = Random::new(seed);
    let mut out = format!(
        r##"<defs><linearGradient id="bk" x1="0" y1="0" x2=".25" y2="1"><stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/></linearGradient>
<filter id="bl" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="{:.1}"/></filter></defs>
<rect width="{width}" height="{height}" fill="url(#bk)"/><g filter="url(#bl)">"##,
        width / 130.0
    );
    for _ in 0..70 {
        let (x, y) = (random.unit() * width, random.unit() * height);
        let r = random.between(0.02, 0.085) * width;
        let opacity = random.between(0.06, 0.3);
        let color = random.pick(lights);
        let _ = write!(
            out,
            r##"<circle cx="{x:.0}" cy="{y:.0}" r="{r:.0}" fill="{color}" opacity="{opacity:.2}"/>"##
        );
    }
    out.push_str("</g>");
    out
}

fn svg(width: f64, height: f64, body: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">{body}</svg>"##
    )
}

/// Evening on a beach, a palm and a parasol.
pub(crate) fn beach() -> String {
    let mut random = Random::new(21);
    let mut out = String::from(
        r##"<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#3f7fa8"/><stop offset=".45" stop-color="#9cc4c9"/><stop offset=".8" stop-color="#f6c99a"/><stop offset="1" stop-color="#f39a6b"/></linearGradient>
<linearGradient id="sea" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#e8a27a"/><stop offset=".12" stop-color="#5d9aa6"/><stop offset=".7" stop-color="#2f7f8e"/><stop offset="1" stop-color="#8fd0c4"/></linearGradient>
<linearGradient id="sand" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#c99b6c"/><stop offset=".2" stop-color="#ecca98"/><stop offset="1" stop-color="#d9ab74"/></linearGradient>
<radialGradient id="sun"><stop offset="0" stop-color="#fff6dc"/><stop offset=".2" stop-color="#ffe7ae"/><stop offset="1" stop-color="#ffb877" stop-opacity="0"/></radialGradient>
<filter id="b"><feGaussianBlur stdDeviation="14"/></filter><filter id="c"><feGaussianBlur stdDeviation="5"/></filter></defs>
<rect width="2400" height="860" fill="url(#sky)"/><circle cx="1630" cy="760" r="520" fill="url(#sun)"/><circle cx="1630" cy="752" r="74" fill="#fffaf0"/><g filter="url(#b)">"##,
    );
    for _ in 0..46 {
        let (x, y) = (random.unit() * 2400.0, random.between(90.0, 560.0));
        let (w, o) = (random.between(90.0, 340.0), random.between(0.2, 0.6));
        let h = w * random.between(0.07, 0.16);
        let _ = write!(
            out,
            r##"<ellipse cx="{x:.0}" cy="{y:.0}" rx="{w:.0}" ry="{h:.0}" fill="#fff1e0" opacity="{o:.2}"/>"##
        );
    }
    out.push_str(r##"</g><path d="M0 836C220 792 420 812 640 838Z" fill="#48707a"/><rect y="836" width="2400" height="480" fill="url(#sea)"/>"##);
    for _ in 0..620 {
        let y = random.between(840.0, 1190.0);
        let near = (y - 836.0) / 354.0;
        let (x, w) = (random.unit() * 2400.0, random.between(14.0, 60.0) * (0.5 + 1.6 * near));
        let glow =
            if (x - 1630.0).abs() < 150.0 + 140.0 * near { ("#fff0cf", 0.8) } else { ("#d8efec", 0.34) };
        let _ = write!(
            out,
            r##"<ellipse cx="{x:.0}" cy="{y:.0}" rx="{w:.0}" ry="{:.1}" fill="{}" opacity="{}"/>"##,
            1.5 + 3.0 * near,
            glow.0,
            glow.1
        );
    }
    out.push_str(r##"<path d="M0 1240C420 1150 900 1270 1420 1210S2200 1130 2400 1180V1600H0Z" fill="#f4faf6" opacity=".9" filter="url(#c)"/>
<path d="M0 1262C420 1172 900 1292 1420 1232S2200 1152 2400 1202V1600H0Z" fill="url(#sand)"/>
<g stroke="#b98a58" stroke-width="7" fill="none" opacity=".35" filter="url(#c)"><path d="M0 1390C500 1330 900 1440 1500 1370S2200 1340 2400 1380"/><path d="M0 1500C600 1430 1100 1540 1700 1460S2300 1450 2400 1490"/></g>
<ellipse cx="880" cy="1462" rx="300" ry="34" fill="#8a5f3c" opacity=".4" filter="url(#b)"/>
<path d="M866 1010l16 0 26 440-20 2z" fill="#f8f2e6"/>
<path d="M560 1120C600 930 760 850 868 846C1010 850 1160 960 1190 1110C1130 1070 1070 1070 1030 1110C990 1062 920 1062 876 1108C830 1060 750 1064 712 1112C670 1074 610 1078 560 1120Z" fill="#d8503f"/>
<path d="M712 1112C724 980 790 880 868 846C930 890 1010 980 1030 1110C990 1062 920 1062 876 1108C830 1060 750 1064 712 1112Z" fill="#f7ead2"/>
<path d="M980 1440l330-34 90 46-330 40z" fill="#2b6a86"/><path d="M1060 1432l330-34 20 12-330 36z" fill="#f7ead2"/>
<path d="M-20 1600C80 1200 130 800 300 420l34 10C190 820 150 1200 130 1600Z" fill="#3a2b28"/>
<g fill="#25392f"><path d="M310 430C190 300 40 300-60 420C60 340 180 350 310 430Z"/><path d="M310 430C250 250 110 170-40 190C120 220 220 290 310 430Z"/><path d="M310 430C330 250 460 150 620 170C480 200 390 280 310 430Z"/><path d="M310 430C440 320 600 330 700 470C580 390 450 370 310 430Z"/><path d="M310 430C300 300 350 160 440 80C400 210 380 310 310 430Z"/><path d="M310 430C420 430 520 540 520 680C470 570 400 480 310 430Z"/><path d="M310 430C200 440 100 560 100 700C150 580 220 490 310 430Z"/></g>"##);
    svg(2400.0, 1600.0, &out)
}

/// Ridge behind ridge above a lake, spruces in front.
pub(crate) fn mountains() -> String {
    let mut random = Random::new(77);
    let mut out = String::from(
        r##"<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#2d4f80"/><stop offset=".5" stop-color="#87a9c9"/><stop offset="1" stop-color="#f7d9c0"/></linearGradient>
<linearGradient id="lake" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#dcc6bf"/><stop offset=".5" stop-color="#5d86a8"/><stop offset="1" stop-color="#1f3d5c"/></linearGradient>
<filter id="b"><feGaussianBlur stdDeviation="12"/></filter></defs><rect width="2016" height="1512" fill="url(#sky)"/><circle cx="1500" cy="470" r="60" fill="#fff3dc"/><circle cx="1500" cy="470" r="170" fill="#ffe9c6" opacity=".5" filter="url(#b)"/>"##,
    );
    let layers = [
        ("#a9b6cb", 560.0, 360.0, 3.1, 260.0),
        ("#7f93b2", 680.0, 330.0, 9.4, 330.0),
        ("#57708f", 800.0, 300.0, 14.2, 300.0),
        ("#35506a", 900.0, 220.0, 23.8, 240.0),
    ];
    for (i, (color, base, tall, seed, wide)) in layers.into_iter().enumerate() {
        let ridge = |x: f64| base - tall * (ridges(x / wide, seed) - 0.35) * 1.3;
        let mut d = String::from("M-8 1100");
        for step in 0..=254 {
            let x = f64::from(step) * 8.0 - 8.0;
            let _ = write!(d, "L{x:.0} {:.1}", ridge(x));
        }
        let _ = write!(out, r##"<path d="{d}L2030 1100Z" fill="{color}"/>"##);
        if i < 2 {
            for step in 0..254 {
                let x = f64::from(step) * 8.0;
                let y = ridge(x);
                if y < base - tall * 0.12 {
                    let drop = (base - tall * 0.12 - y) * random.between(0.35, 0.8);
                    let lean = random.between(-14.0, 26.0);
                    let _ = write!(
                        out,
                        r##"<path d="M{x:.0} {y:.1}L{:.0} {:.1}L{:.0} {:.1}Z" fill="#f6f1ee" opacity=".62"/>"##,
                        x + 9.0,
                        ridge(x + 9.0),
                        x + lean,
                        y + drop
                    );
                }
            }
        }
        let _ = write!(
            out,
            r##"<rect y="{:.0}" width="2016" height="90" fill="#f3e2d8" opacity=".22" filter="url(#b)"/>"##,
            base - 20.0
        );
    }
    out.push_str(r##"<rect y="980" width="2016" height="532" fill="url(#lake)"/>"##);
    for _ in 0..260 {
        let y = random.between(985.0, 1490.0);
        let (x, w) = (random.unit() * 2016.0, random.between(20.0, 120.0));
        let (color, o) = if random.unit() < 0.5 { ("#f4e4da", 0.16) } else { ("#24435f", 0.2) };
        let _ = write!(
            out,
            r##"<ellipse cx="{x:.0}" cy="{y:.0}" rx="{w:.0}" ry="2.4" fill="{color}" opacity="{o}"/>"##
        );
    }
    for i in 0..64 {
        let x = if i % 2 == 0 { random.between(-40.0, 620.0) } else { random.between(1380.0, 2060.0) };
        let edge = (x - 1008.0).abs() / 1008.0;
        let h = 150.0 + 420.0 * edge * random.between(0.5, 1.0);
        let foot = 1200.0 + 250.0 * edge + random.between(0.0, 110.0);
        spruce(&mut out, x, foot, h, random.pick(&["#12272b", "#17302f", "#0f2126", "#1d3a35"]));
    }
    out.push_str(
        r##"<path d="M0 1440C300 1360 520 1452 900 1476S1600 1400 2016 1420V1512H0Z" fill="#0e1d20"/>"##,
    );
    svg(2016.0, 1512.0, &out)
}

fn spruce(out: &mut String, x: f64, foot: f64, h: f64, color: &str) {
    let mut d = format!("M{x:.0} {:.0}", foot - h);
    for side in [1.0, -1.0] {
        let steps = 8;
        for k in 0..steps {
            let t = f64::from(if side > 0.0 { k + 1 } else { steps - k }) / f64::from(steps);
            let (y, w) = (foot - h + h * t, h * 0.2 * t * side);
            if side > 0.0 {
                let _ = write!(d, "L{:.0} {y:.0}L{:.0} {:.0}", x + w, x + w * 0.55, y - h * 0.015);
            } else {
                let _ = write!(d, "L{:.0} {:.0}L{:.0} {y:.0}", x + w * 0.55, y - h * 0.015, x + w);
            }
        }
    }
    let _ = write!(out, r##"<path d="{d}Z" fill="{color}"/>"##);
}

/// A happy brown dog in a park.
pub(crate) fn dog() -> String {
    let mut random = Random::new(8);
    let mut out =
        bokeh(3, 1000.0, 1000.0, "#b9d59a", "#3c6b46", &["#f4ffcf", "#8dbd6a", "#2f5d3c", "#fff3b0"]);
    out.push_str(r##"<defs><radialGradient id="fur" cx=".42" cy=".34" r=".8"><stop offset="0" stop-color="#d9985a"/><stop offset=".6" stop-color="#b26c35"/><stop offset="1" stop-color="#713c1c"/></radialGradient>
<radialGradient id="white" cx=".45" cy=".3" r=".8"><stop offset="0" stop-color="#fffaf0"/><stop offset="1" stop-color="#d8c1a4"/></radialGradient>
<filter id="s"><feGaussianBlur stdDeviation="9"/></filter></defs>
<path d="M180 1000C200 790 330 690 500 690S800 790 820 1000Z" fill="url(#fur)"/><path d="M380 1000C390 850 430 760 500 760S610 850 620 1000Z" fill="url(#white)"/>
<path d="M316 724C420 812 580 812 684 724L700 772C590 870 410 870 300 772Z" fill="#2f6f9a"/><circle cx="500" cy="836" r="38" fill="#e9c46a"/><circle cx="500" cy="836" r="22" fill="none" stroke="#b98f2c" stroke-width="5"/>
<path d="M500 150C690 150 790 290 776 470C766 640 660 770 500 770S234 640 224 470C210 290 310 150 500 150Z" fill="url(#fur)"/>
<path d="M286 214C170 196 96 330 110 520C118 640 190 670 234 600C270 540 250 380 330 250Z" fill="#6d3a1b"/><path d="M714 214C830 196 904 330 890 520C882 640 810 670 766 600C730 540 750 380 670 250Z" fill="#5c2f15"/>"##);
    for _ in 0..1500 {
        let turn = random.unit() * core::f64::consts::TAU;
        let far = libm::sqrt(random.unit());
        let (x, y) = (500.0 + libm::cos(turn) * 262.0 * far, 450.0 + libm::sin(turn) * 296.0 * far);
        let (dx, dy) = ((x - 500.0) * 0.06, (y - 330.0) * 0.08 + 6.0);
        let color = random.pick(&["#e7ad70", "#8a4d24", "#c77f42", "#a0602f"]);
        let _ = write!(
            out,
            r##"<path d="M{x:.0} {y:.0}q{:.1} {:.1} {dx:.1} {dy:.1}" stroke="{color}" stroke-width="2.4" fill="none" opacity=".55"/>"##,
            dx * 0.2,
            dy * 0.7
        );
    }
    out.push_str(r##"<path d="M500 160C536 240 540 330 560 420C640 470 660 600 600 690C550 750 450 750 400 690C340 600 360 470 440 420C460 330 464 240 500 160Z" fill="url(#white)"/>
<path d="M440 640C460 690 540 690 560 640C580 760 560 800 500 804S420 760 440 640Z" fill="#d9606a"/><path d="M500 660V780" stroke="#b3404c" stroke-width="7"/>
<path d="M500 600V644C470 690 400 690 372 640M500 644C530 690 600 690 628 640" fill="none" stroke="#3a2016" stroke-width="11" stroke-linecap="round"/>
<path d="M420 524C430 486 570 486 580 524C580 580 530 606 500 606S420 580 420 524Z" fill="#1f1715"/><ellipse cx="478" cy="520" rx="30" ry="12" fill="#fff" opacity=".5"/>
<ellipse cx="384" cy="400" rx="56" ry="50" fill="#5a2f16" opacity=".5" filter="url(#s)"/><ellipse cx="616" cy="400" rx="56" ry="50" fill="#5a2f16" opacity=".5" filter="url(#s)"/>
<circle cx="386" cy="402" r="42" fill="#20130d"/><circle cx="614" cy="402" r="42" fill="#20130d"/><circle cx="386" cy="406" r="31" fill="#5b321a"/><circle cx="614" cy="406" r="31" fill="#5b321a"/><circle cx="386" cy="404" r="19" fill="#0d0806"/><circle cx="614" cy="404" r="19" fill="#0d0806"/><circle cx="374" cy="388" r="11" fill="#fff"/><circle cx="602" cy="388" r="11" fill="#fff"/>
<path d="M330 330q50-40 96-10M670 330q-50-40-96-10" stroke="#7b4420" stroke-width="14" fill="none" stroke-linecap="round" opacity=".7"/>"##);
    svg(1000.0, 1000.0, &out)
}

/// A ginger cat on a window sill.
pub(crate) fn cat() -> String {
    let mut random = Random::new(12);
    let mut out =
        bokeh(9, 1000.0, 1250.0, "#dfe9ee", "#7fa4b5", &["#ffffff", "#f7e6c8", "#88b0a0", "#c4dbe5"]);
    out.push_str(r##"<defs><radialGradient id="fur" cx=".4" cy=".3" r=".85"><stop offset="0" stop-color="#f5b266"/><stop offset=".6" stop-color="#dd8438"/><stop offset="1" stop-color="#8f4718"/></radialGradient><linearGradient id="sill" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#f6efe4"/><stop offset="1" stop-color="#c5b59d"/></linearGradient><radialGradient id="eye"><stop offset="0" stop-color="#d5d66a"/><stop offset="1" stop-color="#6d9a48"/></radialGradient></defs>
<rect y="1080" width="1000" height="170" fill="url(#sill)"/><path d="M0 1080h1000v14H0z" fill="#fff" opacity=".7"/>
<path d="M220 1130C180 860 300 640 500 640S820 860 780 1130Z" fill="url(#fur)"/><path d="M760 1120C930 1130 960 960 880 900C930 1010 860 1050 740 1050Z" fill="#c56f2b"/>
<path d="M246 430L226 130C320 180 380 240 420 300ZM754 430L774 130C680 180 620 240 580 300Z" fill="#d27a31"/><path d="M280 340L264 204C316 236 350 270 372 306ZM720 340L736 204C684 236 650 270 628 306Z" fill="#e9a9a0"/>
<path d="M500 256C690 256 800 380 780 530C764 680 640 750 500 750S236 680 220 530C200 380 310 256 500 256Z" fill="url(#fur)"/><path d="M430 1130C420 900 450 780 500 780S580 900 570 1130Z" fill="#fdf1e0"/><path d="M290 1130c-10-60 30-90 80-90s80 40 70 90zM560 1130c-10-60 20-90 70-90s90 40 80 90z" fill="#fdf1e0"/>"##);
    for _ in 0..1700 {
        let turn = random.unit() * core::f64::consts::TAU;
        let far = libm::sqrt(random.unit());
        let (x, y) = (500.0 + libm::cos(turn) * 262.0 * far, 506.0 + libm::sin(turn) * 232.0 * far);
        let color = random.pick(&["#ffcf94", "#b8622a", "#e9964a", "#f7bd79"]);
        let _ = write!(
            out,
            r##"<path d="M{x:.0} {y:.0}l{:.1} {:.1}" stroke="{color}" stroke-width="2" opacity=".5"/>"##,
            (x - 500.0) * 0.06,
            (y - 420.0) * 0.05 + 5.0
        );
    }
    out.push_str(r##"<g fill="none" stroke="#8f4718" stroke-width="20" stroke-linecap="round" opacity=".75"><path d="M500 276v84M440 284l14 74M560 284l-14 74M238 500l92 18M232 570l90 0M762 500l-92 18M768 570l-90 0M300 860q60 20 90 80M700 860q-60 20-90 80M270 960q60 10 90 60M730 960q-60 10-90 60"/></g>
<path d="M500 560C560 560 640 600 640 660S570 744 500 744S360 720 360 660S440 560 500 560Z" fill="#fdf1e0"/>
<g><ellipse cx="380" cy="492" rx="64" ry="58" fill="#3a2012"/><ellipse cx="380" cy="492" rx="54" ry="50" fill="url(#eye)"/><ellipse cx="380" cy="492" rx="17" ry="44" fill="#10100a"/><circle cx="362" cy="470" r="13" fill="#fff"/><ellipse cx="620" cy="492" rx="64" ry="58" fill="#3a2012"/><ellipse cx="620" cy="492" rx="54" ry="50" fill="url(#eye)"/><ellipse cx="620" cy="492" rx="17" ry="44" fill="#10100a"/><circle cx="602" cy="470" r="13" fill="#fff"/></g>
<path d="M462 588h76c4 26-22 42-38 42s-42-16-38-42z" fill="#d9787a"/><path d="M500 630v30c-20 34-70 32-84 6M500 660c20 34 70 32 84 6" fill="none" stroke="#7a3a22" stroke-width="9" stroke-linecap="round"/>
<path d="M400 650L180 620M400 670L170 690M600 650L820 620M600 670L830 690" stroke="#fff" stroke-width="5" opacity=".85"/>"##);
    svg(1000.0, 1250.0, &out)
}

/// Poppies and daisies, nearer ones sharper.
pub(crate) fn flowers() -> String {
    let mut random = Random::new(41);
    let mut out =
        bokeh(17, 1000.0, 750.0, "#cfe6ee", "#4f8a4b", &["#ffffff", "#ffd9a0", "#7fb35d", "#f08a7a"]);
    out.push_str(r##"<defs><filter id="f1"><feGaussianBlur stdDeviation="7"/></filter><filter id="f2"><feGaussianBlur stdDeviation="2.4"/></filter><radialGradient id="red"><stop offset="0" stop-color="#8c1420"/><stop offset=".3" stop-color="#e0322f"/><stop offset="1" stop-color="#f4705a"/></radialGradient></defs>"##);
    for (layer, filter) in ["url(#f1)", "url(#f2)", "none"].into_iter().enumerate() {
        let _ = write!(out, r##"<g filter="{filter}">"##);
        let near = layer as f64;
        for _ in 0..90 {
            let (x, y) = (random.unit() * 1000.0, 760.0);
            let (dx, h) = (random.symmetric() * 60.0, random.between(150.0, 420.0) - near * 40.0);
            let color = random.pick(&["#3d7a3a", "#5c9a49", "#2c6137", "#79ae58"]);
            let _ = write!(
                out,
                r##"<path d="M{x:.0} {y}q{:.0} {:.0} {dx:.0} {:.0}" stroke="{color}" stroke-width="{:.1}" fill="none" stroke-linecap="round"/>"##,
                dx * 0.1,
                -h * 0.5,
                -h,
                2.0 + near * 1.5
            );
        }
        for _ in 0..(26 - layer * 7) {
            let (x, y) = (random.unit() * 1000.0, random.between(250.0, 640.0) + near * 40.0);
            let r = random.between(20.0, 34.0) * (0.8 + near * 0.55);
            let turn = random.unit() * 60.0;
            let _ = write!(
                out,
                r##"<path d="M{x:.0} {y:.0}q10 120-6 400" stroke="#3b733a" stroke-width="{:.1}" fill="none"/><g transform="translate({x:.0} {y:.0}) rotate({turn:.0}) scale({:.3})">"##,
                3.0 + near,
                r / 30.0
            );
            if random.unit() < 0.55 {
                out.push_str(r##"<g fill="url(#red)"><ellipse cx="-14" cy="-6" rx="24" ry="21"/><ellipse cx="14" cy="-8" rx="24" ry="20"/><ellipse cx="-6" cy="12" rx="25" ry="18"/><ellipse cx="12" cy="10" rx="22" ry="18"/></g><circle r="9" fill="#23120f"/><circle r="3.4" fill="#9fb56c"/>"##);
            } else {
                for k in 0..12 {
                    let _ = write!(
                        out,
                        r##"<ellipse cy="-21" rx="5.6" ry="13" fill="#fffdf5" stroke="#d9dce6" stroke-width=".6" transform="rotate({})"/>"##,
                        k * 30
                    );
                }
                out.push_str(r##"<circle r="9.5" fill="#f2b92f"/><circle cx="2" cy="2.4" r="6" fill="#d99419" opacity=".7"/>"##);
            }
            out.push_str("</g>");
        }
        out.push_str("</g>");
    }
    svg(1000.0, 750.0, &out)
}

const CURLY: Look = Look {
    skin: "#d39a73",
    shade: "#8f5639",
    hair: "#2a1713",
    hair_light: "#5d3526",
    style: Style::Curly,
    iris: "#6b4526",
    clothes: "#e9b949",
    clothes_dark: "#b77f22",
};
const BEARDED: Look = Look {
    skin: "#f0c3a0",
    shade: "#c08563",
    hair: "#5a3a22",
    hair_light: "#8d6440",
    style: Style::Short,
    iris: "#4e7f94",
    clothes: "#4a6fa0",
    clothes_dark: "#2a4468",
};
const BOB: Look = Look {
    skin: "#f7d3b8",
    shade: "#d29a7c",
    hair: "#b8673a",
    hair_light: "#dd9257",
    style: Style::Bob,
    iris: "#57824f",
    clothes: "#7a9e86",
    clothes_dark: "#4b6d58",
};
const CHILD: Look = Look {
    skin: "#f3c7a2",
    shade: "#cd8f69",
    hair: "#8a5a2b",
    hair_light: "#c48f4e",
    style: Style::Tousled,
    iris: "#5b7fa3",
    clothes: "#e76f51",
    clothes_dark: "#a94732",
};

/// A curly-haired woman; without a ground, her figure alone.
pub(crate) fn woman(ground: bool) -> String {
    let mut out = String::new();
    if ground {
        out = bokeh(31, 1800.0, 2400.0, "#f2d7c2", "#8fa9a0", &["#fff4e2", "#e6a07c", "#6f968c", "#ffffff"]);
    }
    let _ = write!(
        out,
        r##"<g transform="translate(900 1010) scale(1.9)">{}</g>"##,
        face("w", &CURLY, false, true)
    );
    svg(1800.0, 2400.0, &out)
}

/// A bearded man.
pub(crate) fn man() -> String {
    let mut out =
        bokeh(57, 1800.0, 2400.0, "#c8d4dd", "#51687c", &["#ffffff", "#f3d9a8", "#8aa5b8", "#35495c"]);
    let _ = write!(
        out,
        r##"<g transform="translate(900 1060) scale(1.9)">{}</g>"##,
        face("m", &BEARDED, true, true)
    );
    svg(1800.0, 2400.0, &out)
}

/// Two people in autumn.
pub(crate) fn couple() -> String {
    let mut out = bokeh(
        91,
        2400.0,
        1600.0,
        "#f5d9a6",
        "#a65a33",
        &["#ffedb8", "#e98b3a", "#c2512b", "#fff7dd", "#8d7a3c"],
    );
    let _ = write!(
        out,
        r##"<g transform="translate(1500 690) rotate(-5) scale(1.34)">{}</g><g transform="translate(930 800) rotate(6) scale(1.26)">{}</g>"##,
        face("m", &BEARDED, true, true),
        face("b", &BOB, false, true)
    );
    svg(2400.0, 1600.0, &out)
}

/// A grinning child, cut out.
pub(crate) fn child() -> String {
    svg(
        1000.0,
        1250.0,
        &format!(
            r##"<g transform="translate(500 760) scale(1.68)">{}</g>"##,
            face("c", &CHILD, false, false)
        ),
    )
}

/// A city at night over a river.
pub(crate) fn city() -> String {
    let mut random = Random::new(64);
    let mut out = String::from(
        r##"<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#0b1230"/><stop offset=".6" stop-color="#3a2d63"/><stop offset="1" stop-color="#d0677a"/></linearGradient><linearGradient id="water" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#4b2f5f"/><stop offset="1" stop-color="#080d22"/></linearGradient><filter id="b"><feGaussianBlur stdDeviation="5"/></filter></defs><rect width="800" height="880" fill="url(#sky)"/><circle cx="600" cy="190" r="52" fill="#f6ecd4"/><circle cx="582" cy="178" r="50" fill="#171b42" opacity=".9"/>"##,
    );
    for _ in 0..140 {
        let _ = write!(
            out,
            r##"<circle cx="{:.0}" cy="{:.0}" r="{:.1}" fill="#fff" opacity="{:.2}"/>"##,
            random.unit() * 800.0,
            random.unit() * 520.0,
            random.between(0.5, 1.6),
            random.between(0.3, 0.95)
        );
    }
    for (depth, color) in ["#4a3a6b", "#2a2450", "#12132e"].into_iter().enumerate() {
        let mut x = -20.0;
        while x < 800.0 {
            let w = random.between(46.0, 110.0);
            let h = random.between(150.0, 470.0) - depth as f64 * 60.0;
            let top = 880.0 - h;
            let _ = write!(
                out,
                r##"<path d="M{x:.0} 880V{top:.0}h{:.0}v-{:.0}h{:.0}v{0:.0}H{:.0}V880Z" fill="{color}"/>"##,
                w * 0.3,
                random.between(6.0, 40.0),
                w * 0.35,
                x + w
            );
            if depth > 0 {
                let (mut wy, step) = (top + 14.0, 13.0);
                while wy < 862.0 {
                    let mut wx = x + 8.0;
                    while wx < x + w - 9.0 {
                        if random.unit() < 0.42 {
                            let light = random.pick(&["#ffd98a", "#ffeec4", "#ffb765", "#9fd0ff"]);
                            let _ = write!(
                                out,
                                r##"<path d="M{wx:.0} {wy:.0}h5v7h-5z" fill="{light}" opacity="{:.2}"/>"##,
                                random.between(0.5, 1.0)
                            );
                        }
                        wx += 10.0;
                    }
                    wy += step;
                }
            }
            x += w + random.between(-6.0, 12.0);
        }
    }
    out.push_str(r##"<rect y="878" width="800" height="322" fill="url(#water)"/><g filter="url(#b)">"##);
    for _ in 0..150 {
        let light = random.pick(&["#ffcf7d", "#ff9e6b", "#8fc4ff", "#ffe9b5"]);
        let _ = write!(
            out,
            r##"<rect x="{:.0}" y="{:.0}" width="{:.0}" height="{:.0}" fill="{light}" opacity="{:.2}"/>"##,
            random.unit() * 800.0,
            random.between(880.0, 1040.0),
            random.between(4.0, 12.0),
            random.between(20.0, 130.0),
            random.between(0.1, 0.5)
        );
    }
    out.push_str("</g>");
    svg(800.0, 1200.0, &out)
}

/// A singer in stage light.
pub(crate) fn stage() -> String {
    let mut random = Random::new(50);
    let mut out = String::from(
        r##"<defs><radialGradient id="g" cx=".5" cy=".35" r=".8"><stop offset="0" stop-color="#ff7ab0"/><stop offset=".4" stop-color="#7a2f9e"/><stop offset="1" stop-color="#0c0820"/></radialGradient><linearGradient id="beam" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#fff" stop-opacity=".6"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></linearGradient><filter id="b"><feGaussianBlur stdDeviation="10"/></filter></defs><rect width="1000" height="1000" fill="url(#g)"/><g filter="url(#b)">"##,
    );
    for (x, to, color) in [
        (120, 420, "#ff4f9a"),
        (340, 300, "#46d7ff"),
        (520, 520, "#fff2c0"),
        (700, 760, "#46d7ff"),
        (900, 600, "#ff9a3c"),
    ] {
        let _ = write!(
            out,
            r##"<path d="M{x} -20L{} 1000H{}Z" fill="{color}" opacity=".32"/><path d="M{x} -20L{} 900H{}Z" fill="url(#beam)" opacity=".4"/>"##,
            to - 170,
            to + 170,
            to - 70,
            to + 70
        );
    }
    out.push_str("</g>");
    for _ in 0..120 {
        let _ = write!(
            out,
            r##"<circle cx="{:.0}" cy="{:.0}" r="{:.1}" fill="#fff" opacity="{:.2}"/>"##,
            random.unit() * 1000.0,
            random.unit() * 800.0,
            random.between(1.0, 4.5),
            random.between(0.1, 0.6)
        );
    }
    out.push_str(r##"<g fill="#0a0618"><path d="M470 350C440 300 450 220 510 210C570 204 600 260 580 310C574 340 560 356 552 372C640 392 660 450 664 540L640 700L620 1000H420L410 720C380 640 380 560 396 480C404 420 440 390 486 372Z"/><path d="M410 470C340 430 330 380 420 330L462 326L466 352L430 362C410 400 440 430 470 450Z"/><path d="M452 330l-26-24 16-22 34 22z"/><path d="M428 300l18 12-60 680h-16z"/><path d="M600 600C700 560 760 520 860 420L880 440C790 560 720 620 640 680Z"/><path d="M520 640C560 560 660 560 690 620C720 700 660 790 570 780C500 770 490 700 520 640Z"/></g><ellipse cx="604" cy="676" rx="44" ry="40" fill="#3b1458"/><path d="M860 420l40-36 18 16-38 40z" fill="#0a0618"/><path d="M580 214C604 240 604 290 584 320M664 520C680 600 660 660 648 720" fill="none" stroke="#ffb3d6" stroke-width="6" opacity=".8"/><path d="M0 1000V900"/>"##);
    for i in 0..34 {
        let x = f64::from(i) * 31.0 - 10.0;
        let y = random.between(872.0, 940.0);
        let _ = write!(
            out,
            r##"<circle cx="{x:.0}" cy="{y:.0}" r="{:.0}" fill="#07040f"/><path d="M{:.0} 1000V{:.0}h44V1000Z" fill="#07040f"/>"##,
            random.between(20.0, 28.0),
            x - 22.0,
            y + 14.0
        );
        if i % 5 == 2 {
            let _ = write!(
                out,
                r##"<path d="M{:.0} {:.0}l-10-90 12-4 18 92z" fill="#07040f"/>"##,
                x + 14.0,
                y + 20.0
            );
        }
    }
    svg(1000.0, 1000.0, &out)
}

/// A flat badge of few colours.
pub(crate) fn badge() -> String {
    svg(
        600.0,
        600.0,
        r##"<circle cx="300" cy="300" r="280" fill="#20425a"/><circle cx="300" cy="300" r="250" fill="none" stroke="#f4d58d" stroke-width="12"/><path d="M300 110L345 235L478 238L373 319L411 447L300 372L189 447L227 319L122 238L255 235Z" fill="#f4d58d"/><path d="M300 200L322 262L388 264L336 304L355 368L300 330L245 368L264 304L212 264L278 262Z" fill="#d8572a"/>"##,
    )
}

/// Brown packing paper, with fibres.
pub(crate) fn kraft() -> String {
    let mut random = Random::new(33);
    let mut out = String::from(r##"<rect width="640" height="1070" fill="#c9a97d"/>"##);
    for _ in 0..2600 {
        let (x, y) = (random.unit() * 640.0, random.unit() * 1070.0);
        let (dx, dy) = (random.symmetric() * 16.0, random.symmetric() * 9.0);
        let color = random.pick(&["#b18d5e", "#dcc096", "#a37f52", "#e6cfa9"]);
        let _ = write!(
            out,
            r##"<path d="M{x:.0} {y:.0}q{:.1} {:.1} {dx:.1} {dy:.1}" stroke="{color}" stroke-width=".9" fill="none" opacity=".5"/>"##,
            dx * 0.5 + 2.0,
            dy * 0.2
        );
    }
    svg(640.0, 1070.0, &out)
}
