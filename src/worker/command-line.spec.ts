import { splitCommandLine } from './command-line';

describe('splitCommandLine', () => {
  it.each<[string, string[]]>([
    ['python3 infer.py', ['python3', 'infer.py']],
    ['  a \t b\n', ['a', 'b']],
    [`sh -c 'cat > "$1"; echo' x`, ['sh', '-c', 'cat > "$1"; echo', 'x']],
    [`run "a b" c\\ d e'f'"g"`, ['run', 'a b', 'c d', 'efg']],
    [`"say \\"hi\\" \\n"`, ['say "hi" \\n']],
    [`a '' ""`, ['a', '', '']],
    [`a '|' \\; x|y $HOME *`, ['a', '|', ';', 'x|y', '$HOME', '*']],
    ['', []],
  ])('splits %s', (line, words) => {
    expect(splitCommandLine(line)).toEqual(words);
  });

  it.each<[string, string]>([
    [`python3 'infer.py`, `a quote or backslash is not closed: 'infer.py`],
    ['a "b', 'is not closed: "b'],
    ['a b\\', 'is not closed: \\'],
    ['a | b', "| would need a shell, and none is used; write sh -c '…', or quote it"],
    ['a 2>&1', '2>&1 would need a shell'],
    ['a && b', '&& would need a shell'],
    ['a > out.json', '> would need a shell'],
  ])('refuses %s', (line, message) => {
    expect(() => splitCommandLine(line)).toThrow(message);
  });
});
