import { join } from 'node:path';
import { openLocalFolder } from '../../services/files/local-folder.ts';
import { temporaryFolder } from '../support/folder.ts';
import { describeFileStore } from './contract.ts';

describeFileStore('a local folder', async (atEnd) =>
  openLocalFolder(join(await temporaryFolder(atEnd), 'upload')),
);
