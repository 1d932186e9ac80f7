import { ImportError } from '@thplab/capture';

/** A record that cannot be read. For compressed records the place is in the text inside. */
export class DamoRecordError extends ImportError {
  override readonly name: string = 'DamoRecordError';
}
