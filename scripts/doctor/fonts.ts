import sharp from 'sharp';
import { drawCaptcha } from '../../services/drawing/captcha-picture.ts';
import { createFaces } from '../../services/files/faces.ts';
import { type Finding, findings } from './finding.ts';

const side = 200;

/** The character is one horizontal stroke; what is drawn for a letter that a font lacks is a box, about as high as wide. */
const stroke = '一';
const minStrokeRatio = 4;

/** Whether the letters of avatars and of captchas can be drawn, Chinese ones too. */
export async function examineFonts(): Promise<Finding[]> {
  const { ok, fault } = findings('fonts');
  const remedy = 'run npm ci: the font and the library that draws are packages';
  const face = await createFaces().draw(stroke, 0, side);
  const { info } = await sharp(face).trim().toBuffer({ resolveWithObject: true });
  if (info.width < minStrokeRatio * info.height) {
    return [fault('Chinese letters of avatars are drawn as boxes: the font cannot be used', remedy)];
  }
  const { picture } = await drawCaptcha();
  if (picture.length === 0) return [fault('captchas cannot be drawn', remedy)];
  return [ok('avatars with Chinese letters and captchas are drawn')];
}
