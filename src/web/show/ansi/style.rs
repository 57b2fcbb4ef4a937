//! How a piece of output looks (SGR, ECMA-48 8.3.117), as classes.

use vte::Params;

use super::colour;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Of the 16.
    text: Option<u8>,
    ground: Option<u8>,
    is_bold: bool,
    is_dim: bool,
    is_italic: bool,
    is_underlined: bool,
    is_struck: bool,
    is_inverse: bool,
}

impl Style {
    /// What a sequence changes; none at all takes everything back.
    pub(super) fn apply(&mut self, parameters: &Params) {
        let mut parameters = parameters.iter();
        while let Some(parameter) = parameters.next() {
            let (code, inner) = match parameter {
                [code, inner @ ..] => (*code, inner),
                [] => continue,
            };
            match code {
                38 | 48 => {
                    // `38:5:1` in one, or `38;5;1` in several parameters.
                    let chosen = match inner {
                        [] => colour::following(&mut parameters),
                        inner => colour::within(inner),
                    };
                    let place = if code == 38 {
                        &mut self.text
                    } else {
                        &mut self.ground
                    };
                    *place = chosen.or(*place);
                }
                4 if inner == [0] => self.is_underlined = false,
                _ => self.set(code),
            }
        }
    }

    fn set(&mut self, code: u16) {
        // The colours stand in tens.
        let colour = u8::try_from(code % 10).unwrap_or_default();
        match code {
            0 => *self = Style::default(),
            1 => self.is_bold = true,
            2 => self.is_dim = true,
            3 => self.is_italic = true,
            4 | 21 => self.is_underlined = true,
            7 => self.is_inverse = true,
            9 => self.is_struck = true,
            22 => (self.is_bold, self.is_dim) = (false, false),
            23 => self.is_italic = false,
            24 => self.is_underlined = false,
            27 => self.is_inverse = false,
            29 => self.is_struck = false,
            30..=37 => self.text = Some(colour),
            39 => self.text = None,
            40..=47 => self.ground = Some(colour),
            49 => self.ground = None,
            90..=97 => self.text = Some(colour + 8),
            100..=107 => self.ground = Some(colour + 8),
            _ => {}
        }
    }

    /// `None` for plain text.
    pub(super) fn classes(&self) -> Option<String> {
        let (text, ground) = match self.is_inverse {
            true => (self.ground, self.text),
            false => (self.text, self.ground),
        };
        let mut classes = Vec::new();
        for (is_so, class) in [
            (self.is_bold, "a-bold"),
            (self.is_dim, "a-dim"),
            (self.is_italic, "a-italic"),
            (self.is_underlined, "a-underlined"),
            (self.is_struck, "a-struck"),
            (self.is_inverse && ground.is_none(), "a-inverse"),
        ] {
            if is_so {
                classes.push(class.to_owned());
            }
        }
        classes.extend(text.map(|colour| format!("a-{}", colour::name(colour))));
        classes.extend(ground.map(|colour| format!("a-on-{}", colour::name(colour))));
        (!classes.is_empty()).then(|| classes.join(" "))
    }
}
