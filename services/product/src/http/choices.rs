//! Values in one parameter, separated by commas. White space around a value does not count. A backslash makes a comma, a
//! backslash or white space part of the value, so that whatever a brand is called can be asked for; any other backslash
//! is one. Pure.

/// Never an empty value.
pub fn split(given: &str) -> Vec<String> {
    let (mut values, mut value) = (Vec::new(), Value::default());
    let mut letters = given.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some(&next)) if is_special(next) => {
                letters.next();
                value.push(next);
            }
            (',', _) => values.push(std::mem::take(&mut value).text()),
            (letter, _) if letter.is_whitespace() => value.push_around(letter),
            (letter, _) => value.push(letter),
        }
    }
    values.push(value.text());
    values.retain(|value| !value.is_empty());
    values
}

fn is_special(letter: char) -> bool {
    letter == ',' || letter == '\\' || letter.is_whitespace()
}

#[derive(Default)]
struct Value {
    text: String,
    /// Where white space begins that is part of the value only if something follows.
    end: usize,
}

impl Value {
    fn push(&mut self, letter: char) {
        self.text.push(letter);
        self.end = self.text.len();
    }

    fn push_around(&mut self, space: char) {
        if !self.text.is_empty() {
            self.text.push(space);
        }
    }

    fn text(mut self) -> String {
        self.text.truncate(self.end);
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn plain_lists_are_split_and_trimmed() {
        assert_eq!(split(" a b ,c,,\u{a0}d\t, "), ["a b", "c", "d"]);
        assert_eq!(split(""), [""; 0]);
        assert_eq!(split(r"AC\DC,x\"), [r"AC\DC", r"x\"]);
    }

    #[test]
    fn a_backslash_keeps_what_follows() {
        assert_eq!(split(r"Smith\, Sons,b"), ["Smith, Sons", "b"]);
        assert_eq!(split(r"a\\,b\\\,c"), [r"a\", r"b\,c"]);
        assert_eq!(split(r"\ a\ \ ,\,,\ "), [" a  ", ",", " "]);
    }
}
