import { Form } from './form.entity.js';

/** For the data source. */
export const FORM_ENTITIES = [Form];

export { FormsModule } from './forms.module.js';
