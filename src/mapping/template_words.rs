//! What a template names: the columns it may read, its filters, tests and functions. The engine itself finds a wrong name
//! only on the first row that reaches it, at night. What the template may read is also the key of its cache, so in doubt a
//! column is named too much.

use minijinja::Error;
use minijinja::machinery::ast::{CallArg, Expr, Stmt};
use minijinja::machinery::parse;

/// Names in a template, each in the order of its first use.
#[derive(Debug, Default, PartialEq)]
pub(super) struct TemplateWords {
    /// Names that may be variables.
    pub names: Vec<String>,
    /// `row["…"]` and `row.…`.
    pub row_columns: Vec<String>,
    /// `row` is used in a way that may reach any column.
    pub whole_row: bool,
    pub filters: Vec<FilterCall>,
    pub tests: Vec<String>,
    pub functions: Vec<String>,
    /// Names that a `{% set %}` makes.
    pub assigned: Vec<String>,
}

/// A filter with its arguments; an argument that is not a quoted text is none.
#[derive(Debug, PartialEq)]
pub(super) struct FilterCall {
    pub name: String,
    pub arguments: Vec<Option<String>>,
}

/// Reads a template that is not too deep.
///
/// # Errors
/// As the engine has, where it is no template.
pub(super) fn read_words(source: &str) -> Result<TemplateWords, Error> {
    let mut words = TemplateWords::default();
    words.add_statement(&parse(source, "", Default::default())?);
    Ok(words)
}

impl TemplateWords {
    fn add_statements(&mut self, statements: &[Stmt<'_>]) {
        statements.iter().for_each(|statement| self.add_statement(statement));
    }

    fn add_statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::EmitRaw(_) => {}
            Stmt::Template(template) => self.add_statements(&template.children),
            Stmt::EmitExpr(emit) => self.add_expression(&emit.expr),
            Stmt::ForLoop(each) => {
                self.add_expression(&each.iter);
                self.add_optional(each.filter_expr.as_ref());
                self.add_statements(&each.body);
                self.add_statements(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                self.add_expression(&condition.expr);
                self.add_statements(&condition.true_body);
                self.add_statements(&condition.false_body);
            }
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(_, value)| self.add_expression(value));
                self.add_statements(&with.body);
            }
            Stmt::Set(set) => {
                self.add_target(&set.target);
                self.add_expression(&set.expr);
            }
            Stmt::SetBlock(set) => {
                self.add_target(&set.target);
                self.add_optional(set.filter.as_ref());
                self.add_statements(&set.body);
            }
            Stmt::AutoEscape(escape) => {
                self.add_expression(&escape.enabled);
                self.add_statements(&escape.body);
            }
            Stmt::FilterBlock(block) => {
                self.add_expression(&block.filter);
                self.add_statements(&block.body);
            }
            Stmt::Do(call) => {
                self.add_call(&call.call.expr, &call.call.args);
            }
        }
    }

    fn add_target(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(variable) => add_name(&mut self.assigned, variable.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.add_target(item)),
            // A part of a namespace, which is a variable.
            other => self.add_expression(other),
        }
    }

    fn add_optional(&mut self, expression: Option<&Expr<'_>>) {
        expression.into_iter().for_each(|expression| self.add_expression(expression));
    }

    fn add_expression(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::Const(_) => {}
            Expr::Var(variable) if variable.id == "row" => self.whole_row = true,
            Expr::Var(variable) => add_name(&mut self.names, variable.id),
            Expr::Slice(slice) => {
                self.add_expression(&slice.expr);
                [&slice.start, &slice.stop, &slice.step].into_iter().for_each(|part| self.add_optional(part.as_ref()));
            }
            Expr::UnaryOp(operation) => self.add_expression(&operation.expr),
            Expr::BinOp(operation) => {
                self.add_expression(&operation.left);
                self.add_expression(&operation.right);
            }
            Expr::Compare(comparison) => {
                self.add_expression(&comparison.expr);
                comparison.ops.iter().for_each(|operation| self.add_expression(&operation.expr));
            }
            Expr::IfExpr(choice) => {
                self.add_expression(&choice.true_expr);
                self.add_expression(&choice.test_expr);
                self.add_optional(choice.false_expr.as_ref());
            }
            Expr::Filter(filter) => {
                self.add_optional(filter.expr.as_ref());
                let arguments = filter.args.iter().map(quoted_argument).collect();
                self.filters.push(FilterCall { name: filter.name.to_owned(), arguments });
                self.add_arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.add_expression(&test.expr);
                add_name(&mut self.tests, test.name);
                self.add_arguments(&test.args);
            }
            Expr::GetAttr(part) if is_row(&part.expr) => add_name(&mut self.row_columns, part.name),
            Expr::GetAttr(part) => self.add_expression(&part.expr),
            Expr::GetItem(item) => match &item.subscript_expr {
                Expr::Const(name) if is_row(&item.expr) && name.value.as_str().is_some() => {
                    add_name(&mut self.row_columns, name.value.as_str().unwrap_or_default());
                }
                subscript => {
                    self.add_expression(&item.expr);
                    self.add_expression(subscript);
                }
            },
            Expr::Call(call) => self.add_call(&call.expr, &call.args),
            Expr::List(list) => list.items.iter().for_each(|item| self.add_expression(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.add_expression(item)),
            Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|part| self.add_expression(part)),
        }
    }

    fn add_call(&mut self, called: &Expr<'_>, arguments: &[CallArg<'_>]) {
        if let Expr::Var(variable) = called {
            add_name(&mut self.functions, variable.id);
        }
        self.add_expression(called);
        self.add_arguments(arguments);
    }

    fn add_arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.add_expression(value),
            }
        }
    }
}

fn is_row(expression: &Expr<'_>) -> bool {
    matches!(expression, Expr::Var(variable) if variable.id == "row")
}

fn quoted_argument(argument: &CallArg<'_>) -> Option<String> {
    match argument {
        CallArg::Pos(Expr::Const(text)) => text.value.as_str().map(str::to_owned),
        _ => None,
    }
}

fn add_name(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> TemplateWords {
        read_words(source).unwrap()
    }

    #[test]
    fn a_template_names_its_columns_filters_tests_and_functions() {
        let words = read(
            "Hi {{ work_email | lower | before('@') }} {% if hired is not defined and x is odd %}{{ today() }}{% endif %}",
        );
        assert_eq!(words.names, ["work_email", "hired", "x", "today"]);
        assert_eq!(words.filters.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["lower", "before"]);
        assert_eq!(words.filters[1].arguments, [Some("@".into())]);
        assert_eq!(words.tests, ["defined", "odd"]);
        assert_eq!(words.functions, ["today"]);
        assert!(!words.whole_row);
    }

    #[test]
    fn the_row_is_known_by_literal_columns_or_as_a_whole() {
        let known = read(r#"{{ row["Job Title"] ~ row.team ~ row['a}}b'] ~ row["a\"b"] }}"#);
        assert_eq!(known.row_columns, ["Job Title", "team", "a}}b", "a\"b"]);
        assert!(!known.whole_row);
        assert!(read("{{ row[which] }}").whole_row);
        assert!(read("{{ row[:2] }}").whole_row);
        assert!(read("{% for k in row %}{{ k }}{% endfor %}").whole_row);
    }

    #[test]
    fn braces_comments_and_raw_blocks_do_not_confuse_it() {
        let words = read("{# {{ a }} #}{% raw %}{{ b }}{% endraw %}{{ {'k': {'l': c}} }}{%- set d = e -%}{{- f -}}");
        assert_eq!(words.names, ["c", "e", "f"]);
        assert_eq!(words.assigned, ["d"]);
        assert_eq!(read("{% filter upper %}x{% endfilter %}").filters[0].name, "upper");
        assert_eq!(read("{{ c[1:d] }}").names, ["c", "d"]);
    }

    #[test]
    fn arguments_that_are_not_quoted_texts_are_none() {
        let words = read("{{ a | lookup('teams', b) | replace(f(1, 2), 'x') }}");
        assert_eq!(words.filters[0].arguments, [Some("teams".into()), None]);
        assert_eq!(words.filters[1].arguments, [None, Some("x".into())]);
    }
}
