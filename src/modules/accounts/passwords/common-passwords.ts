/** What heads the lists of leaked passwords, in lower case, and without the figures and signs that people put around it. */
const COMMON = new Set(
  `1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc qazwsxedcrfv zaq12wsxcde3
  qwertyuiop qwertzuiop azertyuiop asdfghjkl asdfghjklz zxcvbnm zxcvbnmasd qwerty qwertyqwerty qwertyasdfgh qwerasdfzxcv
  password passwordpassword passw0rd p@ssword p@ssw0rd pa55word motdepasse contrasena contraseña passwort kennwort
  administrator administrador changeme changemenow changethis letmein letmeinnow iloveyou iloveyouso welcome welcomeback
  superman batmanbatman spiderman pokemonpokemon dragondragon monkeymonkey sunshine sunshinesunshine princess princessa
  football footballfan baseball basketball basketballs liverpoolfc chelseafc arsenalfc manchester barcelona realmadrid
  michaeljordan jordan jennifer alexander alexandra christopher elizabeth charlotte samantha stephanie benjamin
  trustno1trustno1 whatever computer internet internetexplorer starwars masterkey mastermaster shadowshadow hello
  hellohello helloworld goodmorning loveyou iloveme iloveyoubaby secret secretsecret topsecret mypassword mypasswords
  yourpassword nopassword thepassword correcthorsebatterystaple holdfast holdfastholdfast testtest testing
  testpassword temporary temppassword default defaultpassword guestguest rootroot adminadmin admin useruser`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

const ROW = '01234567890123456789abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz';

/** One of the first that anybody would try: a common one, with or without figures around it, one sign over and over, a row. */
export function isCommonPassword(password: string): boolean {
  const text = password.normalize('NFKC').toLowerCase();
  const core = text.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '');
  if (COMMON.has(text) || COMMON.has(core)) return true;
  if (new Set(text).size < 4) return true;
  return ROW.includes(text) || ROW.includes([...text].toReversed().join(''));
}
