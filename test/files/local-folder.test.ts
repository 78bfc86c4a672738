import { join } from 'node:path';
import { localFolder } from '../../services/files/local-folder.ts';
import { temporaryFolder } from '../support/folder.ts';
import { describeFileStore } from './contract.ts';

describeFileStore('a local folder', async (atEnd) =>
  localFolder(join(await temporaryFolder(atEnd), 'upload')),
);
