export default {
  // With `output: 'standalone'` Next.js copies only files that it sees imported: name the driver.
  outputFileTracingIncludes: { '/api/chat': ['./node_modules/libsql/**', './node_modules/@libsql/**'] },
};
