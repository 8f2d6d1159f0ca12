import { optionsOf } from './server';

describe('optionsOf', () => {
  it('gives the port and quotes each setting, the caller’s last word winning', () => {
    const options = optionsOf(5433, { fsync: 'off', log_checkpoints: 'on' });
    expect(options).toMatch(/^-p 5433 /);
    expect(options).toContain('-c "listen_addresses=127.0.0.1"');
    expect(options).toContain('-c "unix_socket_directories="');
    expect(options).toContain('-c "fsync=off"');
    expect(options).toContain('-c "log_checkpoints=on"');
    expect(options).not.toContain('log_checkpoints=off');
  });

  it.each(['$HOME', '`id`', 'a"b', 'a\\b', "a'b", 'a;b', 'a\nb', '$(id)', 'a&b', 'a>b'])(
    'refuses the value %j, which a shell could read',
    (value) => {
      expect(() => optionsOf(5433, { work_mem: value })).toThrow(/work_mem=.*DATABASE_URL/);
    },
  );

  it('refuses a name that is none', () => {
    expect(() => optionsOf(5433, { 'fsync=off" -c "ssl': 'on' })).toThrow(/cannot be passed/);
  });
});
