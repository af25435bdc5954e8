"""Solutions with one small mistake each, made by rule: what a check must refuse."""

import ast
import copy
from collections.abc import Iterator

SWAPPED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
RENAMED = {"max": "min", "min": "max", "sum": "mean", "mean": "sum"}
RENAMED |= {"argmax": "argmin", "argmin": "argmax", "any": "all", "all": "any"}


def mutants(cell: str) -> dict[str, str]:
    """The cell of a solution with one mistake each, by what was changed and in which line."""
    tree = ast.parse(cell)
    lines = cell.splitlines()
    solution = set()
    is_inside = False
    for number, line in enumerate(lines, start=1):
        is_inside = is_inside or "### BEGIN SOLUTION" in line
        is_inside = is_inside and "### END SOLUTION" not in line
        if is_inside:
            solution.add(number)
    found = {}
    for i, node in enumerate(ast.walk(tree)):
        if getattr(node, "lineno", 0) in solution:
            for changed in variants(node):
                mutated = copy.deepcopy(tree)
                replace(mutated, i, changed)
                where = lines[node.lineno - 1].strip()
                name = f"{ast.unparse(node)} -> {ast.unparse(changed)} in {where}"
                found[name] = ast.unparse(ast.fix_missing_locations(mutated))
    return found


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """The node with another operator, axis, bound, sign or constant, or left out."""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op) if type(op) in SWAPPED:
            yield changed(node, op=SWAPPED[type(op)]())
        case ast.Compare(ops=[op]) if type(op) in SWAPPED:
            yield changed(node, ops=[SWAPPED[type(op)]()])
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Attribute(attr=name) if name in RENAMED:
            yield changed(node, attr=RENAMED[name])
        case ast.Call(keywords=[_, *_]):
            for i in range(len(node.keywords)):
                yield changed(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.If | ast.For | ast.Raise):
        yield ast.Pass()


def changed(node: ast.AST, **fields) -> ast.AST:
    node = copy.copy(node)
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def replace(tree: ast.AST, index: int, new: ast.AST) -> None:
    """Put `new` in the place of the node that `ast.walk` comes to at `index`."""
    old = list(ast.walk(tree))[index]
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(entry is old for entry in value):
                value[:] = [new if entry is old else entry for entry in value]
