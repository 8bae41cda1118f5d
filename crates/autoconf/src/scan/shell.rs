//! Parses a shell script into commands, conditions and branches. Pure.
//!
//! It parses the Bourne shell grammar of configure scripts. Words are kept as they are spelled, here-documents are
//! skipped, and `$(…)` is read only to find its end. Parsing never fails: invalid text is skipped, and a construct that
//! is not closed ends with the enclosing one. `follow.rs` interprets the result.

/// The maximum nesting of constructs; the deepest in Autoconf's scripts are near 30. Deeper ones are skipped.
const MAX_DEPTH: usize = 160;

/// The maximum number of here-documents on one line; bash takes 16.
const MAX_DOCUMENTS: usize = 16;

/// A range of the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// The first byte.
    pub(super) start: usize,
    /// The first byte after it.
    pub(super) end: usize,
}

impl Span {
    /// Returns the text in the range.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A list of commands.
pub(super) type List = Vec<SyntaxNode>;

/// A command and its range.
#[derive(Debug)]
pub(super) struct SyntaxNode {
    pub(super) span: Span,
    pub(super) command: CommandKind,
}

/// The operator between two commands of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChainOperator {
    And,
    Or,
}

/// A condition and the commands that follow if it is true.
#[derive(Debug)]
pub(super) struct Arm {
    /// The condition: the text between `if` and `then`.
    pub(super) span: Span,
    pub(super) condition: List,
    pub(super) body: List,
}

/// The kind of a command, with its parts.
#[derive(Debug)]
pub(super) enum CommandKind {
    /// A simple command: assignments and words.
    Simple {
        assignments: Vec<Span>,
        words: Vec<Span>,
    },
    /// `first && second || third`.
    Chain {
        first: Box<SyntaxNode>,
        rest: Vec<(ChainOperator, SyntaxNode)>,
    },
    /// `first | second`, or `! first`.
    Pipe {
        negated: bool,
        commands: Vec<SyntaxNode>,
    },
    /// `if`, each `elif`, and `else`.
    If { arms: Vec<Arm>, otherwise: List },
    /// `case`: the word, and for each arm its patterns and body.
    Case {
        subject: Span,
        arms: Vec<(Vec<Span>, List)>,
    },
    /// `for`, with the variable and its words; `while` and `until`, with the condition.
    Loop {
        variable: Option<(Span, Vec<Span>)>,
        condition: List,
        body: List,
    },
    /// `name () command`.
    Function { name: Span, body: Box<SyntaxNode> },
    /// `{ …; }` and `( … )`.
    Group { subshell: bool, body: List },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    Word,
    Newline,
    /// `;`, `;;`, `&`, `&&`, `|`, `||`, `(`, `)`.
    Operator(&'static str),
    End,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    kind: TokenKind,
    span: Span,
}

/// Operators. A longer one comes before its prefixes.
const OPERATORS: [&str; 10] = [";;&", ";;", ";&", "&&", "||", ";", "&", "|", "(", ")"];

/// A here-document: its delimiter, and whether tabs before the delimiter are ignored.
type HereDocument = (String, bool);

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Here-documents whose bodies begin on the next line.
    pending: Vec<HereDocument>,
    /// The words that end the enclosing lists.
    ends: Vec<&'static [&'static str]>,
    /// The depth of nested word scanners.
    depth: usize,
    /// The depth of functions that are the body of a function.
    functions: usize,
    /// The last token from [`Parser::peek`]: the position before it, the token, the position after it and the
    /// here-documents. Without this cache, nested `$(…)` would be read again at each level.
    ahead: Option<(usize, Token, usize, Vec<HereDocument>)>,
}

/// Parses a whole script.
pub(super) fn parse(text: &str) -> List {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        pending: Vec::new(),
        ends: Vec::new(),
        depth: 0,
        functions: 0,
        ahead: None,
    };
    parser.list(&[])
}

/// Returns whether a byte may be part of a variable's name.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Splits a word that is an assignment into name and value.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name.bytes().all(is_name_byte) && !name.starts_with(|c: char| c.is_ascii_digit());
    (is_name && !name.is_empty()).then_some((name, value))
}

impl Parser<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn word(&self, token: Token) -> &str {
        match token.kind {
            TokenKind::Word => token.span.of(self.text),
            TokenKind::Operator(operator) => operator,
            TokenKind::Newline | TokenKind::End => "",
        }
    }

    // ---- tokens ----

    /// Skips blanks, comments, escaped newlines, and redirections with their words.
    fn skip_blank(&mut self) {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.byte(self.at + 1) == Some(b'\n') => self.at += 2,
                Some(b'#') => {
                    let length = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at += length;
                }
                Some(b'<' | b'>') => self.redirection(),
                Some(b'0'..=b'9') if self.is_descriptor() => {
                    while self.byte(self.at).is_some_and(|b| b.is_ascii_digit()) {
                        self.at += 1;
                    }
                    self.redirection();
                }
                _ => return,
            }
        }
    }

    fn is_descriptor(&self) -> bool {
        let digits = self.bytes[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        matches!(self.byte(self.at + digits), Some(b'<' | b'>'))
    }

    fn redirection(&mut self) {
        let is_here = self.rest().starts_with("<<") && !self.rest().starts_with("<<<");
        let tabs = is_here && self.rest().starts_with("<<-");
        while let Some(b'<' | b'>' | b'&' | b'|') = self.byte(self.at) {
            self.at += 1;
        }
        if self.byte(self.at) == Some(b'-') {
            self.at += 1;
            if !tabs {
                // `>&-` closes a descriptor and has no word.
                return;
            }
        }
        while let Some(b' ' | b'\t') = self.byte(self.at) {
            self.at += 1;
        }
        let start = self.at;
        self.scan_word();
        if is_here && self.pending.len() < MAX_DOCUMENTS {
            let delimiter = self.text.get(start..self.at).unwrap_or_default();
            let plain = delimiter.replace(['\'', '"', '\\'], "");
            self.pending.push((plain, tabs));
        }
    }

    /// Skips the bodies of the here-documents of the line that has ended.
    fn skip_documents(&mut self) {
        for (delimiter, tabs) in std::mem::take(&mut self.pending) {
            while self.at < self.bytes.len() {
                let rest = self.rest();
                let length = rest.find('\n').unwrap_or(rest.len());
                let line = &rest[..length];
                let line = if tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                let is_last = line == delimiter;
                self.at = (self.at + length + 1).min(self.bytes.len());
                if is_last {
                    break;
                }
            }
        }
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        if let Some((_, _, at, pending)) = self.ahead.take() {
            (self.at, self.pending) = (at, pending);
        }
        token
    }

    /// Returns the next token without consuming it.
    fn peek(&mut self) -> Token {
        // Blanks and redirections before a token are skipped only once: a here-document must not be queued twice.
        self.skip_blank();
        if let Some((at, token, ..)) = &self.ahead
            && *at == self.at
        {
            return *token;
        }
        let (at, pending) = (self.at, self.pending.clone());
        let token = self.token();
        let after = std::mem::replace(&mut self.pending, pending);
        self.ahead = Some((at, token, self.at, after));
        self.at = at;
        token
    }

    fn token(&mut self) -> Token {
        let start = self.at;
        let kind = match self.byte(start) {
            None => TokenKind::End,
            Some(b'\n') => {
                self.at += 1;
                self.skip_documents();
                TokenKind::Newline
            }
            Some(_) => {
                let found = OPERATORS.iter().find(|o| self.rest().starts_with(**o));
                if let Some(operator) = found {
                    self.at += operator.len();
                    // `;&` and `;;&` end an arm too.
                    let ends_arm = operator.starts_with(";;") || *operator == ";&";
                    TokenKind::Operator(if ends_arm { ";;" } else { operator })
                } else {
                    self.scan_word();
                    TokenKind::Word
                }
            }
        };
        let end = self.at;
        Token {
            kind,
            span: Span { start, end },
        }
    }

    fn skip_newlines(&mut self) {
        while self.peek().kind == TokenKind::Newline {
            self.next();
        }
    }

    // ---- words ----

    /// Skips a word. Consumes at least one byte if there is one, so that callers make progress.
    fn scan_word(&mut self) {
        let start = self.at;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
                    break;
                }
                b'\\' => self.step(2),
                b'\'' => self.scan_until(b'\'', false),
                b'`' => self.scan_until(b'`', true),
                b'"' => self.scan_double(),
                b'$' => self.scan_dollar(),
                _ => self.at += 1,
            }
        }
        let next = self.byte(self.at);
        if self.at == start && !matches!(next, None | Some(b'\n')) {
            self.step(1);
        }
    }

    fn step(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.bytes.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    /// Skips quoted text, to the byte that ends it.
    fn scan_until(&mut self, end: u8, escapes: bool) {
        self.at += 1;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'\\' if escapes => self.step(2),
                _ if byte == end => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    fn scan_double(&mut self) {
        self.at += 1;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => self.step(2),
                b'`' => self.scan_until(b'`', true),
                b'$' => self.scan_dollar(),
                _ => self.at += 1,
            }
        }
    }

    /// Skips `$` and the expansion after it.
    fn scan_dollar(&mut self) {
        let after = self.byte(self.at + 1);
        if self.depth >= MAX_DEPTH || !matches!(after, Some(b'{' | b'(')) {
            self.at += 1;
            return;
        }
        self.depth += 1;
        match after {
            Some(b'{') => self.scan_braces(),
            _ if self.byte(self.at + 2) == Some(b'(') => self.scan_arithmetic(),
            _ => {
                self.at += 2;
                let pending = std::mem::take(&mut self.pending);
                self.list(&[")"]);
                self.take(")");
                self.pending = pending;
            }
        }
        self.depth -= 1;
    }

    fn scan_braces(&mut self) {
        self.at += 2;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'}' => {
                    self.at += 1;
                    return;
                }
                b'\\' => self.step(2),
                b'"' => self.scan_double(),
                b'`' => self.scan_until(b'`', true),
                b'$' => self.scan_dollar(),
                _ => self.at += 1,
            }
        }
    }

    fn scan_arithmetic(&mut self) {
        self.at += 1;
        let mut open = 0_usize;
        while let Some(byte) = self.byte(self.at) {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => return,
                b')' => open -= 1,
                b'\n' => return,
                _ => {}
            }
        }
    }

    // ---- commands ----

    /// Parses commands up to one of the words, which is not consumed, or up to the end of an enclosing list.
    fn list(&mut self, ends: &'static [&'static str]) -> List {
        let mut list = List::new();
        if self.ends.len() >= MAX_DEPTH {
            // Too deep: skip word by word, to the end of this construct or of an enclosing one.
            self.ends.push(ends);
            while !self.is_at_end() {
                self.next();
            }
            self.ends.pop();
            return list;
        }
        self.ends.push(ends);
        loop {
            if self.is_at_end() {
                break;
            }
            let token = self.peek();
            match token.kind {
                TokenKind::Newline | TokenKind::Operator(";" | "&") => {
                    self.next();
                }
                _ => {
                    let before = self.at;
                    list.extend(self.chain());
                    if self.at == before {
                        // This token cannot begin a command.
                        self.next();
                    }
                }
            }
        }
        self.ends.pop();
        list
    }

    /// Returns whether a list ends here: at the end of the text, or at a word that ends an enclosing list.
    fn is_at_end(&mut self) -> bool {
        let token = self.peek();
        if token.kind == TokenKind::End {
            return true;
        }
        let word = self.word(token);
        !word.is_empty() && self.ends.iter().any(|ends| ends.contains(&word))
    }

    /// Consumes the word if it is next; returns whether it was.
    fn take(&mut self, word: &str) -> bool {
        self.skip_newlines();
        let token = self.peek();
        let is_it = self.word(token) == word;
        if is_it {
            self.next();
        }
        is_it
    }

    fn node(&self, start: usize, command: CommandKind) -> SyntaxNode {
        let end = self.at;
        SyntaxNode {
            span: Span { start, end },
            command,
        }
    }

    fn chain(&mut self) -> Option<SyntaxNode> {
        let start = self.peek().span.start;
        let first = self.pipe()?;
        let mut rest = Vec::new();
        loop {
            let link = match self.peek().kind {
                TokenKind::Operator("&&") => ChainOperator::And,
                TokenKind::Operator("||") => ChainOperator::Or,
                _ => break,
            };
            self.next();
            self.skip_newlines();
            let Some(next) = self.pipe() else { break };
            rest.push((link, next));
        }
        if rest.is_empty() {
            return Some(first);
        }
        let first = Box::new(first);
        Some(self.node(start, CommandKind::Chain { first, rest }))
    }

    fn pipe(&mut self) -> Option<SyntaxNode> {
        let token = self.peek();
        let start = token.span.start;
        let negated = self.word(token) == "!";
        if negated {
            self.next();
        }
        let mut commands: Vec<SyntaxNode> = self.command().into_iter().collect();
        while self.peek().kind == TokenKind::Operator("|") {
            self.next();
            self.skip_newlines();
            match self.command() {
                Some(command) => commands.push(command),
                None => break,
            }
        }
        match commands.len() {
            0 => None,
            1 if !negated => commands.pop(),
            _ => Some(self.node(start, CommandKind::Pipe { negated, commands })),
        }
    }

    fn command(&mut self) -> Option<SyntaxNode> {
        let token = self.peek();
        let start = token.span.start;
        // A word that ends an enclosing list begins no command.
        if self.is_at_end() {
            return None;
        }
        let command = match (token.kind, self.word(token)) {
            (TokenKind::Operator("("), _) => {
                self.next();
                let body = self.list(&[")"]);
                self.take(")");
                CommandKind::Group {
                    subshell: true,
                    body,
                }
            }
            (TokenKind::Word, "{") => {
                self.next();
                let body = self.list(&["}"]);
                self.take("}");
                CommandKind::Group {
                    subshell: false,
                    body,
                }
            }
            (TokenKind::Word, "if") => self.conditional(),
            (TokenKind::Word, "case") => self.case(),
            (TokenKind::Word, "for") => self.for_loop(),
            (TokenKind::Word, "while" | "until") => {
                self.next();
                let condition = self.list(&["do"]);
                let body = self.loop_body();
                CommandKind::Loop {
                    variable: None,
                    condition,
                    body,
                }
            }
            (TokenKind::Word, _) => return self.simple(),
            _ => return None,
        };
        // Only redirections may follow, and these are skipped with the blanks.
        let node = self.node(start, command);
        self.skip_blank();
        Some(node)
    }

    fn conditional(&mut self) -> CommandKind {
        self.next();
        let mut arms = Vec::new();
        let mut otherwise = List::new();
        loop {
            let start = self.at;
            let condition = self.list(&["then"]);
            let span = Span {
                start,
                end: self.at,
            };
            self.take("then");
            let body = self.list(&["elif", "else", "fi"]);
            arms.push(Arm {
                span,
                condition,
                body,
            });
            if self.take("elif") {
                continue;
            }
            if self.take("else") {
                otherwise = self.list(&["fi"]);
            }
            self.take("fi");
            return CommandKind::If { arms, otherwise };
        }
    }

    fn case(&mut self) -> CommandKind {
        self.next();
        let subject = self.peek();
        let mut arms = Vec::new();
        if subject.kind != TokenKind::Word {
            return CommandKind::Case {
                subject: Span { start: 0, end: 0 },
                arms,
            };
        }
        self.next();
        self.take("in");
        loop {
            self.skip_newlines();
            let token = self.peek();
            if token.kind == TokenKind::End || self.take("esac") {
                break;
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                let token = self.peek();
                match token.kind {
                    TokenKind::Word => patterns.push(token.span),
                    TokenKind::Operator("|") => {}
                    _ => break,
                }
                self.next();
            }
            if self.peek().kind != TokenKind::Operator(")") {
                // Not an arm, so it belongs to the enclosing construct.
                break;
            }
            self.next();
            let body = self.list(&[";;", "esac"]);
            arms.push((patterns, body));
            self.take(";;");
        }
        let subject = subject.span;
        CommandKind::Case { subject, arms }
    }

    fn for_loop(&mut self) -> CommandKind {
        self.next();
        let variable = self.next();
        let mut words = Vec::new();
        if self.take("in") {
            loop {
                let token = self.peek();
                if token.kind != TokenKind::Word {
                    break;
                }
                words.push(token.span);
                self.next();
            }
        }
        if self.peek().kind == TokenKind::Operator(";") {
            self.next();
        }
        let body = self.loop_body();
        CommandKind::Loop {
            variable: Some((variable.span, words)),
            condition: List::new(),
            body,
        }
    }

    fn loop_body(&mut self) -> List {
        self.take("do");
        let body = self.list(&["done"]);
        self.take("done");
        body
    }

    fn simple(&mut self) -> Option<SyntaxNode> {
        let start = self.peek().span.start;
        let (mut assignments, mut words) = (Vec::new(), Vec::new());
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Word => {
                    self.next();
                    let is_assignment = assignment(token.span.of(self.text)).is_some();
                    let into = if words.is_empty() && is_assignment {
                        &mut assignments
                    } else {
                        &mut words
                    };
                    into.push(token.span);
                }
                TokenKind::Operator("(") if words.len() == 1 && assignments.is_empty() => {
                    self.next();
                    if self.peek().kind != TokenKind::Operator(")") {
                        break;
                    }
                    self.next();
                    self.skip_newlines();
                    let name = words[0];
                    if self.functions >= MAX_DEPTH {
                        break;
                    }
                    self.functions += 1;
                    let body = self.command();
                    self.functions -= 1;
                    let Some(body) = body else { break };
                    let body = Box::new(body);
                    return Some(self.node(start, CommandKind::Function { name, body }));
                }
                _ => break,
            }
        }
        Some(self.node(start, CommandKind::Simple { assignments, words }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the structure of a list, on one line.
    fn shapes(text: &str, list: &[SyntaxNode]) -> String {
        let all: Vec<String> = list.iter().map(|node| shape(text, node)).collect();
        all.join("; ")
    }

    fn shape(text: &str, node: &SyntaxNode) -> String {
        let list = |list: &[SyntaxNode]| shapes(text, list);
        let join = |words: &[Span]| {
            let words: Vec<&str> = words.iter().map(|word| word.of(text)).collect();
            words.join(" ")
        };
        match &node.command {
            CommandKind::Simple { assignments, words } => {
                format!("{}|{}", join(assignments), join(words))
            }
            CommandKind::Chain { first, rest } => {
                let rest: Vec<String> = rest
                    .iter()
                    .map(|(link, node)| format!("{link:?} {}", shape(text, node)))
                    .collect();
                format!("({} {})", shape(text, first), rest.join(" "))
            }
            CommandKind::Pipe { negated, commands } => {
                format!("pipe {negated} [{}]", list(commands))
            }
            CommandKind::If { arms, otherwise } => {
                let arms: Vec<String> = arms
                    .iter()
                    .map(|arm| format!("if [{}] [{}]", list(&arm.condition), list(&arm.body)))
                    .collect();
                format!("{} else [{}]", arms.join(" "), list(otherwise))
            }
            CommandKind::Case { subject, arms } => {
                let arms: Vec<String> = arms
                    .iter()
                    .map(|(patterns, body)| format!("{} => [{}]", join(patterns), list(body)))
                    .collect();
                format!("case {} {}", subject.of(text), arms.join(", "))
            }
            CommandKind::Loop {
                variable,
                condition,
                body,
            } => {
                let variable = variable
                    .as_ref()
                    .map(|(name, words)| format!("{} in {}", name.of(text), join(words)));
                format!("loop {variable:?} [{}] [{}]", list(condition), list(body))
            }
            CommandKind::Function { name, body } => {
                format!("{}() {}", name.of(text), shape(text, body))
            }
            CommandKind::Group { subshell, body } => format!("group {subshell} [{}]", list(body)),
        }
    }

    #[test]
    fn every_construct_is_parsed() {
        for (text, wanted) in [
            ("a=1 b=`x y` c d=2 >out 2>&1", "a=1 b=`x y`|c d=2"),
            ("if x; then :; fi", "if [|x] [|:] else []"),
            (
                "if a\nthen :\n  b\nelif c; then d; else $as_nop\n  e\nfi >&5",
                "if [|a] [|:; |b] if [|c] [|d] else [|$as_nop; |e]",
            ),
            (
                "else_not=1; case $x in #(\n  a|b*) c ;; #(\n  (\"d e\") f\nesac; g",
                "else_not=1|; case $x a b* => [|c], \"d e\" => [|f]; |g",
            ),
            (
                "for i in 1 2\ndo\n  x\ndone",
                "loop Some(\"i in 1 2\") [] [|x]",
            ),
            ("for i\ndo x; done; y", "loop Some(\"i in \") [] [|x]; |y"),
            ("while a; do b; done", "loop None [|a] [|b]"),
            ("f ()\n{\n  x\n} # f\ny", "f() group false [|x]; |y"),
            ("f () { a; (b); }", "f() group false [|a; group true [|b]]"),
            (
                "a && b ||\n c; ! d | e",
                "(|a And |b Or |c); pipe true [|d; |e]",
            ),
            ("cat <<_A >x\nif `\" $(\n_A\nb", "|cat; |b"),
            ("cat <<-\\E; c\n\tif\n\tE\nd", "|cat; |c; |d"),
            ("cat <<'E' && b <<F\n1\nE\n2\nF\nc", "(|cat And |b); |c"),
            (
                "x='a\n;b' y=\"`echo \"z\"`;\" w",
                "x='a\n;b' y=\"`echo \"z\"`;\"|w",
            ),
            (
                "a $(case x in x) y;; esac) b",
                "|a $(case x in x) y;; esac) b",
            ),
            (
                "a $((1+(2))) ${b-\"}\"} c#d # e\nf",
                "|a $((1+(2))) ${b-\"}\"} c#d; |f",
            ),
            ("a \\\n  b\\\nc", "|a b\\\nc"),
            // Constructs that are not closed, and words that close nothing.
            ("if a; then b", "if [|a] [|b] else []"),
            ("fi; a; done", "|fi; |a; |done"),
            (
                "{ if a; then b; }; c",
                "group false [if [|a] [|b] else []]; |c",
            ),
            ("case x in y", "case x "),
            (") a", "|a"),
        ] {
            assert_eq!(shapes(text, &parse(text)), wanted, "{text}");
        }
    }

    #[test]
    fn constructs_nested_too_deeply_are_skipped() {
        for (open, close) in [
            ("if a; then ", "fi; "),
            ("( ", ") "),
            ("$(", ")"),
            ("{ ", "}; "),
            ("${x-", "}"),
            ("f () ", ""),
            ("! ", ""),
            ("x | ", ""),
            ("if a; then b; elif ", ""),
        ] {
            let text = open.repeat(5000) + "x\n" + &close.repeat(5000);
            assert!(!parse(&text).is_empty(), "{open}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "if", "then", "elif", "else", "fi", "case", "in", "esac", "for", "while", "do", "done", "{", "}", "(", ")",
                    ";;", ";", "&&", "|", "\n", "'", "\"", "`", "$(", "${", "$((", "<<E", "E", "\\", "#", "x", "f ()", "!", "é", " ",
                    "a=1", ">", "2>&1",
                ]),
                0..120,
            ),
            spaced in proptest::bool::ANY,
        ) {
            let text = words.join(if spaced { " " } else { "" });
            parse(&text);
        }

        #[test]
        fn any_characters_are_read_to_their_end(text in "\\PC*") {
            parse(&text);
        }
    }
}
