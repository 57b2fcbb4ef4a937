//! The 16 colours of a terminal, and which of them is the nearest to another one.

const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// As xterm shows them.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// How bright the steps of xterm's cube of 216 colours are.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

pub(super) fn name(colour: u8) -> &'static str {
    NAMES[usize::from(colour) % NAMES.len()]
}

/// A colour in the parameters that follow 38 or 48; `None` if they do not say one.
pub(super) fn following<'a>(parameters: &mut impl Iterator<Item = &'a [u16]>) -> Option<u8> {
    let mut next = || parameters.next()?.first().copied();
    match next()? {
        5 => of_256(next()?),
        2 => of_rgb([next()?, next()?, next()?]),
        _ => None,
    }
}

/// The same within one parameter; between `2` and the colour may stand the name of a colour space.
pub(super) fn within(inner: &[u16]) -> Option<u8> {
    match inner {
        [5, colour, ..] => of_256(*colour),
        [2, red, green, blue] | [2, _, red, green, blue, ..] => of_rgb([*red, *green, *blue]),
        _ => None,
    }
}

fn of_256(colour: u16) -> Option<u8> {
    let colour = u8::try_from(colour).ok()?;
    let rgb = match colour {
        0..16 => return Some(colour),
        16..232 => {
            let at = colour - 16;
            [at / 36, at / 6 % 6, at % 6].map(|step| STEPS[usize::from(step)])
        }
        232.. => [8 + 10 * (colour - 232); 3],
    };
    Some(nearest(rgb))
}

fn of_rgb(rgb: [u16; 3]) -> Option<u8> {
    let [red, green, blue] = rgb.map(|part| u8::try_from(part).ok());
    Some(nearest([red?, green?, blue?]))
}

fn nearest(rgb: [u8; 3]) -> u8 {
    let distance = |other: &[u8; 3]| -> u32 {
        let parts = rgb.iter().zip(other);
        parts
            .map(|(one, other)| u32::from(one.abs_diff(*other)).pow(2))
            .sum()
    };
    (0..)
        .zip(&SIXTEEN)
        .min_by_key(|(_, other)| distance(other))
        .map_or(7, |(colour, _)| colour)
}
