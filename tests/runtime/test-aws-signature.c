/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The published examples of AWS Signature Version 4: its test suite, and the examples for S3 of the
 * Amazon S3 API reference. */
#include <string.h>

#include "runtime/aws-signature.h"

#define SUITE                                                                                      \
  {                                                                                                \
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, "us-east-1", "service"        \
  }
#define SUITE_TIME 1440938160 /* 2015-08-30T12:36:00Z */
#define S3                                                                                         \
  {                                                                                                \
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, "us-east-1", "s3"    \
  }
#define S3_TIME 1369353600 /* 2013-05-24T00:00:00Z */

typedef struct
{
  const char *name;
  ReeveAwsSignatureKey key;
  gint64 time;
  const char *method;
  const char *url;
  const char *headers[8];
  const char *body;
  const char *signature;
} Case;

static const Case cases[] = {
  { "get-vanilla",
    SUITE,
    SUITE_TIME,
    "GET",
    "https://example.amazonaws.com/",
    { NULL },
    NULL,
    "SignedHeaders=host;x-amz-date, "
    "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  { "get-vanilla-query-order-key-case",
    SUITE,
    SUITE_TIME,
    "GET",
    "https://example.amazonaws.com/?Param2=value2&Param1=value1",
    { NULL },
    NULL,
    "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
  { "post-vanilla",
    SUITE,
    SUITE_TIME,
    "POST",
    "https://example.amazonaws.com/",
    { NULL },
    NULL,
    "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
  { "post-x-www-form-urlencoded",
    SUITE,
    SUITE_TIME,
    "POST",
    "https://example.amazonaws.com/",
    { "Content-Type", "application/x-www-form-urlencoded", NULL },
    "Param1=value1",
    "SignedHeaders=content-type;host;x-amz-date, "
    "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
  { "get-relative-relative",
    SUITE,
    SUITE_TIME,
    "GET",
    "https://example.amazonaws.com/example1/example2/../..",
    { NULL },
    NULL,
    "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  { "get-slash-dot-slash",
    SUITE,
    SUITE_TIME,
    "GET",
    "https://example.amazonaws.com/./",
    { NULL },
    NULL,
    "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  { "iam-list-users",
    { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, "us-east-1", "iam" },
    SUITE_TIME,
    "GET",
    "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
    { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8", NULL },
    NULL,
    "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, "
    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7" },
  { "s3-get-object",
    S3,
    S3_TIME,
    "GET",
    "https://examplebucket.s3.amazonaws.com/test.txt",
    { "Range", "bytes=0-9", NULL },
    NULL,
    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
  { "s3-put-object",
    S3,
    S3_TIME,
    "PUT",
    "https://examplebucket.s3.amazonaws.com/test$file.text",
    { "Date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class", "REDUCED_REDUNDANCY", NULL },
    "Welcome to Amazon S3.",
    "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
  { "s3-lifecycle",
    S3,
    S3_TIME,
    "GET",
    "https://examplebucket.s3.amazonaws.com/?lifecycle",
    { NULL },
    NULL,
    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
  { "s3-list-objects",
    S3,
    S3_TIME,
    "GET",
    "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
    { NULL },
    NULL,
    "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static const char *
find (ReeveHttpRequest *request, const char *name)
{
  const char *const *headers = reeve_http_request_get_headers (request);

  for (guint i = 0; headers[i] != NULL; i += 2)
    if (g_ascii_strcasecmp (headers[i], name) == 0)
      return headers[i + 1];
  return "";
}

static ReeveHttpRequest *
sign (const Case *self, const ReeveAwsSignatureKey *key)
{
  g_autoptr (ReeveCredentialHeaders) headers = reeve_credential_headers_new ();
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new (self->method, self->url);
  g_autoptr (GBytes) body
      = self->body != NULL ? g_bytes_new_static (self->body, strlen (self->body)) : NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; self->headers[i] != NULL; i += 2)
    reeve_http_request_add_header (request, self->headers[i], self->headers[i + 1]);
  reeve_http_request_set_body (request, NULL, body);
  g_assert_true (reeve_aws_signature_add (key, request, self->time, headers, &error));
  g_assert_no_error (error);
  return reeve_credential_headers_attach (headers, request);
}

static void
test_published (gconstpointer data)
{
  const Case *self = data;
  g_autoptr (ReeveHttpRequest) request = sign (self, &self->key);
  const char *value = find (request, "Authorization");

  g_assert_true (g_str_has_prefix (value, "AWS4-HMAC-SHA256 Credential="));
  if (!g_str_has_suffix (value, self->signature))
    g_error ("%s: %s", self->name, value);
}

/* A temporary key says so, and its token is signed. */
static void
test_token (void)
{
  ReeveAwsSignatureKey key = cases[0].key;
  g_autoptr (ReeveHttpRequest) request = NULL;

  key.session_token = "a-session-token";
  request = sign (&cases[0], &key);
  g_assert_cmpstr (find (request, "x-amz-security-token"), ==, "a-session-token");
  g_assert_nonnull (strstr (find (request, "Authorization"),
                            "SignedHeaders=host;x-amz-date;x-amz-security-token,"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/aws-signature/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_published);
    }
  g_test_add_func ("/aws-signature/token", test_token);
  return g_test_run ();
}
